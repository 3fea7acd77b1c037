// Original file: proto/tocsin/v1/ingest.proto

import type { Long } from '@grpc/proto-loader';

/**
 * One value of one channel of one sensor at one time.
 */
export interface Reading {
  /**
   * As registered with Describe.
   */
  'sensor'?: (string);
  /**
   * Changes whenever the device starts counting again. Empty when it never does.
   */
  'boot'?: (string);
  /**
   * Counts the readings of (sensor, boot), from 1. 0: the device cannot count, and sensor, time and value are
   * the reading's identity.
   */
  'sequence'?: (number | string | Long);
  'observedAtMs'?: (number | string | Long);
  /**
   * In `unit`.
   */
  'value'?: (number | string);
  /**
   * Empty: the registered unit.
   */
  'unit'?: (string);
}

/**
 * One value of one channel of one sensor at one time.
 */
export interface Reading__Output {
  /**
   * As registered with Describe.
   */
  'sensor': (string);
  /**
   * Changes whenever the device starts counting again. Empty when it never does.
   */
  'boot': (string);
  /**
   * Counts the readings of (sensor, boot), from 1. 0: the device cannot count, and sensor, time and value are
   * the reading's identity.
   */
  'sequence': (string);
  'observedAtMs': (string);
  /**
   * In `unit`.
   */
  'value': (number);
  /**
   * Empty: the registered unit.
   */
  'unit': (string);
}
