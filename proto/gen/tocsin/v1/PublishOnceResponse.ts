// Original file: proto/tocsin/v1/ingest.proto

import type { MessageResult as _tocsin_v1_MessageResult, MessageResult__Output as _tocsin_v1_MessageResult__Output } from '../../tocsin/v1/MessageResult.ts';
import type { Long } from '@grpc/proto-loader';

export interface PublishOnceResponse {
  'result'?: (_tocsin_v1_MessageResult | null);
  'archivedThrough'?: (number | string | Long);
}

export interface PublishOnceResponse__Output {
  'result': (_tocsin_v1_MessageResult__Output | null);
  'archivedThrough': (string);
}
