// Original file: proto/tocsin/v1/ingest.proto

export const Disposition = {
  DISPOSITION_UNSPECIFIED: 'DISPOSITION_UNSPECIFIED',
  /**
   * Durable, and new.
   */
  DISPOSITION_ACCEPTED: 'DISPOSITION_ACCEPTED',
  /**
   * Durable already: it was sent before.
   */
  DISPOSITION_DUPLICATE: 'DISPOSITION_DUPLICATE',
  /**
   * Refused, and kept for people to look at. Do not send it again unchanged.
   */
  DISPOSITION_QUARANTINED: 'DISPOSITION_QUARANTINED',
  /**
   * Not taken: the server has too much to do.
   */
  DISPOSITION_RETRY_LATER: 'DISPOSITION_RETRY_LATER',
} as const;

export type Disposition =
  | 'DISPOSITION_UNSPECIFIED'
  | 0
  /**
   * Durable, and new.
   */
  | 'DISPOSITION_ACCEPTED'
  | 1
  /**
   * Durable already: it was sent before.
   */
  | 'DISPOSITION_DUPLICATE'
  | 2
  /**
   * Refused, and kept for people to look at. Do not send it again unchanged.
   */
  | 'DISPOSITION_QUARANTINED'
  | 3
  /**
   * Not taken: the server has too much to do.
   */
  | 'DISPOSITION_RETRY_LATER'
  | 4

export type Disposition__Output = typeof Disposition[keyof typeof Disposition]
