// Original file: proto/tocsin/v1/ingest.proto


export interface DescribeResponse {
  /**
   * Number of sensors registered: all, or the call fails and none is.
   */
  'registered'?: (number);
}

export interface DescribeResponse__Output {
  /**
   * Number of sensors registered: all, or the call fails and none is.
   */
  'registered': (number);
}
