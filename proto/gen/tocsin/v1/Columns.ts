// Original file: proto/tocsin/v1/ingest.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Many readings of one sensor: the cheap way to send more than a few. All arrays have one length, at most 10,000.
 */
export interface Columns {
  'sensor'?: (string);
  'boot'?: (string);
  /**
   * Sequence of the first reading; the others follow without a gap. 0 as in Reading.
   */
  'firstSequence'?: (number | string | Long);
  /**
   * Time of the first reading.
   */
  'firstObservedAtMs'?: (number | string | Long);
  /**
   * Time of each reading relative to the first, ms, not descending. Empty: evenly spaced by `interval_ms`.
   */
  'offsetsMs'?: (number)[];
  'intervalMs'?: (number);
  'values'?: (number | string)[];
  'unit'?: (string);
}

/**
 * Many readings of one sensor: the cheap way to send more than a few. All arrays have one length, at most 10,000.
 */
export interface Columns__Output {
  'sensor': (string);
  'boot': (string);
  /**
   * Sequence of the first reading; the others follow without a gap. 0 as in Reading.
   */
  'firstSequence': (string);
  /**
   * Time of the first reading.
   */
  'firstObservedAtMs': (string);
  /**
   * Time of each reading relative to the first, ms, not descending. Empty: evenly spaced by `interval_ms`.
   */
  'offsetsMs': (number)[];
  'intervalMs': (number);
  'values': (number)[];
  'unit': (string);
}
