// Original file: proto/tocsin/v1/ingest.proto


/**
 * WGS 84, degrees.
 */
export interface Position {
  'latitudeDeg'?: (number | string);
  'longitudeDeg'?: (number | string);
}

/**
 * WGS 84, degrees.
 */
export interface Position__Output {
  'latitudeDeg': (number);
  'longitudeDeg': (number);
}
