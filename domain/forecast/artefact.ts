import { canonicalJson } from '../canonical.ts';
import { TocsinError } from '../errors.ts';
import { FORECASTER_SCHEMA } from './forecaster.ts';
import type { Forecaster } from './forecaster.ts';
import type { Learnt } from './learnt.ts';

/**
 * A forecaster as bytes, laid out as a recogniser's artefact is: `TOCSINFC`, format number (uint32), length of the
 * header (uint32), the header as JSON with sorted keys, then the numbers its arrays point to, little-endian. The same
 * forecaster always gives the same bytes, so their SHA-256 names it.
 */
const MAGIC = 'TOCSINFC';
const FORMAT = 1;
const PREFIX_BYTES = 16;

export function encodeForecaster(forecaster: Forecaster): Uint8Array {
  const arrays: Float64Array[] = [];
  let numbers = 0;
  const strip = (value: unknown): unknown => {
    if (value instanceof Float64Array) {
      arrays.push(value);
      numbers += value.length;
      return { $array: [numbers - value.length, value.length] };
    }
    if (Array.isArray(value)) return value.map(strip);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, item]) => [key, strip(item)]),
    );
  };
  const json = new TextEncoder().encode(canonicalJson(strip(forecaster)));
  const headerEnd = Math.ceil((PREFIX_BYTES + json.length) / 8) * 8;
  const bytes = new Uint8Array(headerEnd + 8 * numbers).fill(0x20, PREFIX_BYTES, headerEnd);
  bytes.set(new TextEncoder().encode(MAGIC));
  const view = new DataView(bytes.buffer);
  view.setUint32(8, FORMAT, true);
  view.setUint32(12, headerEnd - PREFIX_BYTES, true);
  bytes.set(json, PREFIX_BYTES);
  let at = headerEnd;
  for (const array of arrays) {
    for (const value of array) {
      view.setFloat64(at, value, true);
      at += 8;
    }
  }
  return bytes;
}

/** @throws TocsinError FORECASTER_DAMAGED for truncated or altered bytes, FORECASTER_NEWER for a later format */
export function decodeForecaster(bytes: Uint8Array): Forecaster {
  if (bytes.length < PREFIX_BYTES || new TextDecoder().decode(bytes.subarray(0, 8)) !== MAGIC) {
    throw damaged('it does not begin like one');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const format = view.getUint32(8, true);
  if (format > FORMAT) throw newer(`format ${format}`);
  const headerEnd = PREFIX_BYTES + view.getUint32(12, true);
  if (headerEnd > bytes.length) throw damaged('its header is cut off');
  const restore = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(restore);
    if (typeof value !== 'object' || value === null) return value;
    if ('$array' in value) {
      const [offset, length] = value.$array as [number, number];
      const from = headerEnd + 8 * offset;
      if (!(offset >= 0 && length >= 0 && from + 8 * length <= bytes.length)) {
        throw damaged('its numbers are cut off');
      }
      return Float64Array.from({ length }, (_, i) => view.getFloat64(from + 8 * i, true));
    }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, restore(item)]));
  };
  let forecaster: Forecaster;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(PREFIX_BYTES, headerEnd));
    forecaster = restore(JSON.parse(text)) as Forecaster;
  } catch (cause) {
    throw cause instanceof TocsinError ? cause : damaged('its header cannot be read', cause);
  }
  const schema: unknown = forecaster?.schema;
  if (schema !== FORECASTER_SCHEMA) {
    if (typeof schema === 'string' && schema.startsWith('tocsin/forecaster/')) throw newer(schema);
    throw damaged('it has no schema');
  }
  try {
    checkSizes(forecaster);
  } catch (cause) {
    // A part that is missing altogether shows as a TypeError.
    throw cause instanceof TocsinError ? cause : damaged('a part of it is missing', cause);
  }
  return forecaster;
}

function checkSizes({ steps, everyMs, residuals, learnt, clean, card }: Forecaster): void {
  const fits =
    Number.isInteger(steps) &&
    steps >= 1 &&
    everyMs > 0 &&
    residuals.steps === steps &&
    residuals.values.length >= steps &&
    residuals.values.length % steps === 0 &&
    Array.isArray(clean) &&
    card.kind === learnt.kind &&
    fitsItself(learnt, steps);
  if (!fits) throw damaged('its sizes disagree');
}

function fitsItself(learnt: Learnt, steps: number): boolean {
  switch (learnt.kind) {
    case 'persistence':
      return true;
    case 'seasonal-naive':
      return learnt.periodMs > 0;
    case 'ar':
      return learnt.ar.weights.length >= 1;
    case 'seasonal':
      return learnt.seasonal.profile.length >= 2 && learnt.seasonal.rest.weights.length >= 1;
    case 'lstm': {
      const { hidden, outputs, length, weights } = learnt.lstm;
      const gates = 4 * hidden * (4 + hidden + 1);
      return length >= 1 && outputs === steps && weights.length === gates + outputs * (hidden + 1);
    }
    default:
      learnt satisfies never;
      return false;
  }
}

function damaged(reason: string, cause?: unknown): TocsinError {
  return new TocsinError('FORECASTER_DAMAGED', `This is not an intact forecaster artefact: ${reason}.`, {
    cause,
    details: { reason },
  });
}

function newer(found: string): TocsinError {
  return new TocsinError(
    'FORECASTER_NEWER',
    `This forecaster artefact was written by a newer version of Tocsin (${found}); this version reads ${FORECASTER_SCHEMA}.`,
    { details: { found, supported: FORECASTER_SCHEMA } },
  );
}
