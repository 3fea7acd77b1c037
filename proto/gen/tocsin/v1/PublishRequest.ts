// Original file: proto/tocsin/v1/ingest.proto

import type { Item as _tocsin_v1_Item, Item__Output as _tocsin_v1_Item__Output } from '../../tocsin/v1/Item.ts';
import type { Long } from '@grpc/proto-loader';

export interface PublishRequest {
  /**
   * 1 for the first message of a stream, then one more each time.
   */
  'sequence'?: (number | string | Long);
  /**
   * When the vendor sent it, ms since 1970-01-01T00:00:00Z by the vendor's clock. For a recorded feed: the
   * feed's clock, against which lateness is judged.
   */
  'sentAtMs'?: (number | string | Long);
  /**
   * At most 1,000. A whole message has at most 256 KiB.
   */
  'items'?: (_tocsin_v1_Item)[];
}

export interface PublishRequest__Output {
  /**
   * 1 for the first message of a stream, then one more each time.
   */
  'sequence': (string);
  /**
   * When the vendor sent it, ms since 1970-01-01T00:00:00Z by the vendor's clock. For a recorded feed: the
   * feed's clock, against which lateness is judged.
   */
  'sentAtMs': (string);
  /**
   * At most 1,000. A whole message has at most 256 KiB.
   */
  'items': (_tocsin_v1_Item__Output)[];
}
