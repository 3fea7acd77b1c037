// Original file: proto/tocsin/v1/ingest.proto

import type { MessageResult as _tocsin_v1_MessageResult, MessageResult__Output as _tocsin_v1_MessageResult__Output } from '../../tocsin/v1/MessageResult.ts';
import type { Long } from '@grpc/proto-loader';

export interface PublishResponse {
  /**
   * Every message up to this one is answered.
   */
  'acknowledgedThrough'?: (number | string | Long);
  /**
   * Answers to messages that became durable since the last response.
   */
  'results'?: (_tocsin_v1_MessageResult)[];
  /**
   * Position in the archive of the newest item among them; compare with OperationsService.
   */
  'archivedThrough'?: (number | string | Long);
}

export interface PublishResponse__Output {
  /**
   * Every message up to this one is answered.
   */
  'acknowledgedThrough': (string);
  /**
   * Answers to messages that became durable since the last response.
   */
  'results': (_tocsin_v1_MessageResult__Output)[];
  /**
   * Position in the archive of the newest item among them; compare with OperationsService.
   */
  'archivedThrough': (string);
}
