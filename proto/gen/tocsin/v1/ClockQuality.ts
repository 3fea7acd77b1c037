// Original file: proto/tocsin/v1/ingest.proto

/**
 * How far a device's clock may be off.
 */
export const ClockQuality = {
  CLOCK_QUALITY_UNSPECIFIED: 'CLOCK_QUALITY_UNSPECIFIED',
  /**
   * Free-running.
   */
  CLOCK_QUALITY_FREE: 'CLOCK_QUALITY_FREE',
  /**
   * Set by network time: within about a second.
   */
  CLOCK_QUALITY_NETWORK: 'CLOCK_QUALITY_NETWORK',
  /**
   * Satellite or better: within a millisecond.
   */
  CLOCK_QUALITY_SATELLITE: 'CLOCK_QUALITY_SATELLITE',
} as const;

/**
 * How far a device's clock may be off.
 */
export type ClockQuality =
  | 'CLOCK_QUALITY_UNSPECIFIED'
  | 0
  /**
   * Free-running.
   */
  | 'CLOCK_QUALITY_FREE'
  | 1
  /**
   * Set by network time: within about a second.
   */
  | 'CLOCK_QUALITY_NETWORK'
  | 2
  /**
   * Satellite or better: within a millisecond.
   */
  | 'CLOCK_QUALITY_SATELLITE'
  | 3

/**
 * How far a device's clock may be off.
 */
export type ClockQuality__Output = typeof ClockQuality[keyof typeof ClockQuality]
