// Original file: proto/tocsin/v1/ingest.proto

import type { ItemResult as _tocsin_v1_ItemResult, ItemResult__Output as _tocsin_v1_ItemResult__Output } from '../../tocsin/v1/ItemResult.ts';
import type { Gap as _tocsin_v1_Gap, Gap__Output as _tocsin_v1_Gap__Output } from '../../tocsin/v1/Gap.ts';
import type { Long } from '@grpc/proto-loader';

export interface MessageResult {
  'sequence'?: (number | string | Long);
  /**
   * In order; together they cover every item of the message exactly once. For columns and waveforms that are
   * not answered as a whole, `first_reading` says where in the item the run begins.
   */
  'items'?: (_tocsin_v1_ItemResult)[];
  /**
   * Numbers that are missing so far before what this message brought: at most 10 ranges of each of its sensors, and
   * at most 1,000 in all of a response.
   */
  'gaps'?: (_tocsin_v1_Gap)[];
  /**
   * Ranges that were left out of `gaps`.
   */
  'moreGaps'?: (number | string | Long);
}

export interface MessageResult__Output {
  'sequence': (string);
  /**
   * In order; together they cover every item of the message exactly once. For columns and waveforms that are
   * not answered as a whole, `first_reading` says where in the item the run begins.
   */
  'items': (_tocsin_v1_ItemResult__Output)[];
  /**
   * Numbers that are missing so far before what this message brought: at most 10 ranges of each of its sensors, and
   * at most 1,000 in all of a response.
   */
  'gaps': (_tocsin_v1_Gap__Output)[];
  /**
   * Ranges that were left out of `gaps`.
   */
  'moreGaps': (string);
}
