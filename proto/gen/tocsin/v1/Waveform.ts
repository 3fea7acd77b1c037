// Original file: proto/tocsin/v1/ingest.proto

import type { Long } from '@grpc/proto-loader';

/**
 * An evenly sampled block of one sensor.
 */
export interface Waveform {
  'sensor'?: (string);
  'boot'?: (string);
  /**
   * Counts the samples of (sensor, boot), from 1: the first sample's number.
   */
  'firstSequence'?: (number | string | Long);
  'startedAtMs'?: (number | string | Long);
  /**
   * Samples a second, more than 0.
   */
  'rateHz'?: (number | string);
  'samples'?: (number | string)[];
  'unit'?: (string);
}

/**
 * An evenly sampled block of one sensor.
 */
export interface Waveform__Output {
  'sensor': (string);
  'boot': (string);
  /**
   * Counts the samples of (sensor, boot), from 1: the first sample's number.
   */
  'firstSequence': (string);
  'startedAtMs': (string);
  /**
   * Samples a second, more than 0.
   */
  'rateHz': (number);
  'samples': (number)[];
  'unit': (string);
}
