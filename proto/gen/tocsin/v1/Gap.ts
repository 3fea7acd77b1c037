// Original file: proto/tocsin/v1/ingest.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Readings of one sensor that were announced by a later number and have not come.
 */
export interface Gap {
  'sensor'?: (string);
  'boot'?: (string);
  'firstSequence'?: (number | string | Long);
  'lastSequence'?: (number | string | Long);
}

/**
 * Readings of one sensor that were announced by a later number and have not come.
 */
export interface Gap__Output {
  'sensor': (string);
  'boot': (string);
  'firstSequence': (string);
  'lastSequence': (string);
}
