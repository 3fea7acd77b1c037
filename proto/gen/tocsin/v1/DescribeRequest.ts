// Original file: proto/tocsin/v1/ingest.proto

import type { SensorDescription as _tocsin_v1_SensorDescription, SensorDescription__Output as _tocsin_v1_SensorDescription__Output } from '../../tocsin/v1/SensorDescription.ts';

export interface DescribeRequest {
  /**
   * At most 1,000.
   */
  'sensors'?: (_tocsin_v1_SensorDescription)[];
}

export interface DescribeRequest__Output {
  /**
   * At most 1,000.
   */
  'sensors': (_tocsin_v1_SensorDescription__Output)[];
}
