// Original file: proto/tocsin/v1/operations.proto

import type { Long } from '@grpc/proto-loader';

export interface StatusRequest {
  /**
   * Answer only when everything archived up to here was relayed. 0: do not wait.
   */
  'relayedThrough'?: (number | string | Long);
  /**
   * Wait at most this long for it, at most 60,000; then answer as it is.
   */
  'waitMs'?: (number);
  /**
   * List incidents touched after this value of `touches`.
   */
  'touchedAfter'?: (number | string | Long);
}

export interface StatusRequest__Output {
  /**
   * Answer only when everything archived up to here was relayed. 0: do not wait.
   */
  'relayedThrough': (string);
  /**
   * Wait at most this long for it, at most 60,000; then answer as it is.
   */
  'waitMs': (number);
  /**
   * List incidents touched after this value of `touches`.
   */
  'touchedAfter': (string);
}
