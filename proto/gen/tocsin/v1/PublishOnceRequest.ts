// Original file: proto/tocsin/v1/ingest.proto

import type { Item as _tocsin_v1_Item, Item__Output as _tocsin_v1_Item__Output } from '../../tocsin/v1/Item.ts';
import type { Long } from '@grpc/proto-loader';

export interface PublishOnceRequest {
  'sentAtMs'?: (number | string | Long);
  'items'?: (_tocsin_v1_Item)[];
}

export interface PublishOnceRequest__Output {
  'sentAtMs': (string);
  'items': (_tocsin_v1_Item__Output)[];
}
