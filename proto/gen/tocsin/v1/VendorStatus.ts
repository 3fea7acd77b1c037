// Original file: proto/tocsin/v1/operations.proto

import type { Long } from '@grpc/proto-loader';

export interface VendorStatus {
  'vendor'?: (string);
  /**
   * Server time of its last message.
   */
  'lastHeardAtMs'?: (number | string | Long);
  /**
   * Readings, bulletins and samples since the process started.
   */
  'accepted'?: (number | string | Long);
  'duplicate'?: (number | string | Long);
  'retryLater'?: (number | string | Long);
  'quarantined'?: ({[key: string]: number | string | Long});
}

export interface VendorStatus__Output {
  'vendor': (string);
  /**
   * Server time of its last message.
   */
  'lastHeardAtMs': (string);
  /**
   * Readings, bulletins and samples since the process started.
   */
  'accepted': (string);
  'duplicate': (string);
  'retryLater': (string);
  'quarantined': ({[key: string]: string});
}
