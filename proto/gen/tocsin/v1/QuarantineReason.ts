// Original file: proto/tocsin/v1/ingest.proto

export const QuarantineReason = {
  QUARANTINE_REASON_UNSPECIFIED: 'QUARANTINE_REASON_UNSPECIFIED',
  /**
   * Not a message of this contract, or a required part is missing.
   */
  QUARANTINE_REASON_MALFORMED: 'QUARANTINE_REASON_MALFORMED',
  /**
   * Larger than an item may be.
   */
  QUARANTINE_REASON_OVERSIZED: 'QUARANTINE_REASON_OVERSIZED',
  /**
   * NaN or infinite.
   */
  QUARANTINE_REASON_NOT_FINITE: 'QUARANTINE_REASON_NOT_FINITE',
  /**
   * Observed more than 300 s after it was sent or received.
   */
  QUARANTINE_REASON_FUTURE: 'QUARANTINE_REASON_FUTURE',
  /**
   * Observed more than 72 hours before it was received.
   */
  QUARANTINE_REASON_TOO_LATE: 'QUARANTINE_REASON_TOO_LATE',
  /**
   * A unit that cannot be converted to the registered one.
   */
  QUARANTINE_REASON_UNIT: 'QUARANTINE_REASON_UNIT',
  /**
   * Outside the registered range of the sensor.
   */
  QUARANTINE_REASON_RANGE: 'QUARANTINE_REASON_RANGE',
  /**
   * Not registered with Describe by this vendor.
   */
  QUARANTINE_REASON_UNKNOWN_SENSOR: 'QUARANTINE_REASON_UNKNOWN_SENSOR',
  /**
   * Numbered, or timed, so that it cannot be told whether it is new.
   */
  QUARANTINE_REASON_SEQUENCE: 'QUARANTINE_REASON_SEQUENCE',
} as const;

export type QuarantineReason =
  | 'QUARANTINE_REASON_UNSPECIFIED'
  | 0
  /**
   * Not a message of this contract, or a required part is missing.
   */
  | 'QUARANTINE_REASON_MALFORMED'
  | 1
  /**
   * Larger than an item may be.
   */
  | 'QUARANTINE_REASON_OVERSIZED'
  | 2
  /**
   * NaN or infinite.
   */
  | 'QUARANTINE_REASON_NOT_FINITE'
  | 3
  /**
   * Observed more than 300 s after it was sent or received.
   */
  | 'QUARANTINE_REASON_FUTURE'
  | 4
  /**
   * Observed more than 72 hours before it was received.
   */
  | 'QUARANTINE_REASON_TOO_LATE'
  | 5
  /**
   * A unit that cannot be converted to the registered one.
   */
  | 'QUARANTINE_REASON_UNIT'
  | 6
  /**
   * Outside the registered range of the sensor.
   */
  | 'QUARANTINE_REASON_RANGE'
  | 7
  /**
   * Not registered with Describe by this vendor.
   */
  | 'QUARANTINE_REASON_UNKNOWN_SENSOR'
  | 8
  /**
   * Numbered, or timed, so that it cannot be told whether it is new.
   */
  | 'QUARANTINE_REASON_SEQUENCE'
  | 9

export type QuarantineReason__Output = typeof QuarantineReason[keyof typeof QuarantineReason]
