// Original file: proto/tocsin/v1/ingest.proto

import type { Disposition as _tocsin_v1_Disposition, Disposition__Output as _tocsin_v1_Disposition__Output } from '../../tocsin/v1/Disposition.ts';
import type { QuarantineReason as _tocsin_v1_QuarantineReason, QuarantineReason__Output as _tocsin_v1_QuarantineReason__Output } from '../../tocsin/v1/QuarantineReason.ts';

export interface ItemResult {
  /**
   * Index of the first item of the run.
   */
  'firstItem'?: (number);
  /**
   * Number of items in the run, 1 and up.
   */
  'items'?: (number);
  'disposition'?: (_tocsin_v1_Disposition);
  /**
   * Why it was quarantined.
   */
  'reason'?: (_tocsin_v1_QuarantineReason);
  /**
   * For people: what was wrong, with the bad value. Empty after the first 100 runs of a message.
   */
  'explanation'?: (string);
  /**
   * For RETRY_LATER: send the items again, in a new message, after this time.
   */
  'retryAfterMs'?: (number);
  /**
   * Inside a columns or waveform item: which of its readings, when not all.
   */
  'firstReading'?: (number);
  /**
   * 0: all readings of the items.
   */
  'readings'?: (number);
}

export interface ItemResult__Output {
  /**
   * Index of the first item of the run.
   */
  'firstItem': (number);
  /**
   * Number of items in the run, 1 and up.
   */
  'items': (number);
  'disposition': (_tocsin_v1_Disposition__Output);
  /**
   * Why it was quarantined.
   */
  'reason': (_tocsin_v1_QuarantineReason__Output);
  /**
   * For people: what was wrong, with the bad value. Empty after the first 100 runs of a message.
   */
  'explanation': (string);
  /**
   * For RETRY_LATER: send the items again, in a new message, after this time.
   */
  'retryAfterMs': (number);
  /**
   * Inside a columns or waveform item: which of its readings, when not all.
   */
  'firstReading': (number);
  /**
   * 0: all readings of the items.
   */
  'readings': (number);
}
