// Original file: proto/tocsin/v1/ingest.proto


export interface Field {
  'number'?: (number | string);
  'text'?: (string);
  'value'?: "number"|"text";
}

export interface Field__Output {
  'number'?: (number);
  'text'?: (string);
  'value'?: "number"|"text";
}
