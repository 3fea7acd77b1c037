// Original file: proto/tocsin/v1/ingest.proto

import type { Position as _tocsin_v1_Position, Position__Output as _tocsin_v1_Position__Output } from '../../tocsin/v1/Position.ts';
import type { Field as _tocsin_v1_Field, Field__Output as _tocsin_v1_Field__Output } from '../../tocsin/v1/Field.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * One structured event from another system: an earthquake notice, a fire alarm. `source` and `id` are its
 * identity, as in CloudEvents; the same identity with other content is a revision of it.
 */
export interface Bulletin {
  'source'?: (string);
  'id'?: (string);
  /**
   * `earthquake-notice`.
   */
  'type'?: (string);
  'observedAtMs'?: (number | string | Long);
  'position'?: (_tocsin_v1_Position | null);
  /**
   * Flat facts; names carry units: `depthKm`. A value that was not measured is left unset.
   */
  'fields'?: ({[key: string]: _tocsin_v1_Field});
}

/**
 * One structured event from another system: an earthquake notice, a fire alarm. `source` and `id` are its
 * identity, as in CloudEvents; the same identity with other content is a revision of it.
 */
export interface Bulletin__Output {
  'source': (string);
  'id': (string);
  /**
   * `earthquake-notice`.
   */
  'type': (string);
  'observedAtMs': (string);
  'position': (_tocsin_v1_Position__Output | null);
  /**
   * Flat facts; names carry units: `depthKm`. A value that was not measured is left unset.
   */
  'fields': ({[key: string]: _tocsin_v1_Field__Output});
}
