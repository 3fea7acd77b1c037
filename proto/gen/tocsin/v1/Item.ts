// Original file: proto/tocsin/v1/ingest.proto

import type { Reading as _tocsin_v1_Reading, Reading__Output as _tocsin_v1_Reading__Output } from '../../tocsin/v1/Reading.ts';
import type { Columns as _tocsin_v1_Columns, Columns__Output as _tocsin_v1_Columns__Output } from '../../tocsin/v1/Columns.ts';
import type { Waveform as _tocsin_v1_Waveform, Waveform__Output as _tocsin_v1_Waveform__Output } from '../../tocsin/v1/Waveform.ts';
import type { Bulletin as _tocsin_v1_Bulletin, Bulletin__Output as _tocsin_v1_Bulletin__Output } from '../../tocsin/v1/Bulletin.ts';

export interface Item {
  'reading'?: (_tocsin_v1_Reading | null);
  'columns'?: (_tocsin_v1_Columns | null);
  'waveform'?: (_tocsin_v1_Waveform | null);
  'bulletin'?: (_tocsin_v1_Bulletin | null);
  'kind'?: "reading"|"columns"|"waveform"|"bulletin";
}

export interface Item__Output {
  'reading'?: (_tocsin_v1_Reading__Output | null);
  'columns'?: (_tocsin_v1_Columns__Output | null);
  'waveform'?: (_tocsin_v1_Waveform__Output | null);
  'bulletin'?: (_tocsin_v1_Bulletin__Output | null);
  'kind'?: "reading"|"columns"|"waveform"|"bulletin";
}
