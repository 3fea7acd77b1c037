// Original file: proto/tocsin/v1/ingest.proto

import type { Position as _tocsin_v1_Position, Position__Output as _tocsin_v1_Position__Output } from '../../tocsin/v1/Position.ts';
import type { ClockQuality as _tocsin_v1_ClockQuality, ClockQuality__Output as _tocsin_v1_ClockQuality__Output } from '../../tocsin/v1/ClockQuality.ts';

export interface SensorDescription {
  /**
   * Unique for the vendor: letters, digits, `.`, `_`, `:`, `/` and `-`, at most 128.
   */
  'sensor'?: (string);
  /**
   * Id of the place it stands in.
   */
  'site'?: (string);
  /**
   * What it measures: `methane`.
   */
  'channel'?: (string);
  /**
   * `%LEL`, `m/s`.
   */
  'unit'?: (string);
  /**
   * Smallest and largest value it can mean.
   */
  'low'?: (number | string);
  'high'?: (number | string);
  /**
   * Where it stands, when known better than by its site.
   */
  'position'?: (_tocsin_v1_Position | null);
  /**
   * Usual rate, readings a second; 0 when irregular.
   */
  'samplingHz'?: (number | string);
  'clockQuality'?: (_tocsin_v1_ClockQuality);
  /**
   * Out of service: what it sends is refused as of an unknown sensor, and its silence is no doubt. Describe it without
   * to bring it back; one that the operator retired stays retired.
   */
  'retired'?: (boolean);
}

export interface SensorDescription__Output {
  /**
   * Unique for the vendor: letters, digits, `.`, `_`, `:`, `/` and `-`, at most 128.
   */
  'sensor': (string);
  /**
   * Id of the place it stands in.
   */
  'site': (string);
  /**
   * What it measures: `methane`.
   */
  'channel': (string);
  /**
   * `%LEL`, `m/s`.
   */
  'unit': (string);
  /**
   * Smallest and largest value it can mean.
   */
  'low': (number);
  'high': (number);
  /**
   * Where it stands, when known better than by its site.
   */
  'position': (_tocsin_v1_Position__Output | null);
  /**
   * Usual rate, readings a second; 0 when irregular.
   */
  'samplingHz': (number);
  'clockQuality': (_tocsin_v1_ClockQuality__Output);
  /**
   * Out of service: what it sends is refused as of an unknown sensor, and its silence is no doubt. Describe it without
   * to bring it back; one that the operator retired stays retired.
   */
  'retired': (boolean);
}
