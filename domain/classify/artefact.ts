import { TocsinError } from '../errors.ts';
import { RECOGNISER_DAMAGED, RECOGNISER_NEWER } from './codes.ts';
import type { Forest } from './forest.ts';
import { RECOGNISER_SCHEMA, type MemberLearnt, type Recogniser } from './recogniser.ts';

/**
 * A recogniser as bytes: `TOCSINRC`, format number (uint32), length of the header (uint32), the header as JSON with
 * sorted keys, then the number arrays it points to, little-endian, each at a multiple of 8. The same recogniser always
 * gives the same bytes, so their SHA-256 names it.
 */
const MAGIC = 'TOCSINRC';
const FORMAT = 1;
const PREFIX_BYTES = 16;

const ARRAY_TYPES = { f64: Float64Array, i32: Int32Array, i16: Int16Array } as const;
type ArrayType = keyof typeof ARRAY_TYPES;
type NumberArray = Float64Array | Int32Array | Int16Array;

interface Section {
  readonly type: ArrayType;
  /** Bytes after the header. */
  readonly offset: number;
  readonly length: number;
}

export function encodeRecogniser(recogniser: Recogniser): Uint8Array {
  const arrays: NumberArray[] = [];
  const sections: Section[] = [];
  let offset = 0;
  const strip = (value: unknown): unknown => {
    if (value instanceof Float64Array || value instanceof Int32Array || value instanceof Int16Array) {
      const type = value instanceof Float64Array ? 'f64' : value instanceof Int32Array ? 'i32' : 'i16';
      sections.push({ type, offset, length: value.length });
      arrays.push(value);
      offset += Math.ceil(value.byteLength / 8) * 8;
      return { $array: sections.length - 1 };
    }
    if (Array.isArray(value)) return value.map(strip);
    if (typeof value === 'object' && value !== null) {
      const entries = Object.entries(value).filter(([, item]) => item !== undefined);
      return Object.fromEntries(
        entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, strip(item)]),
      );
    }
    return value;
  };
  const body = strip(recogniser);
  const json = new TextEncoder().encode(JSON.stringify({ body, sections }));
  const headerBytes = Math.ceil((PREFIX_BYTES + json.length) / 8) * 8;
  const bytes = new Uint8Array(headerBytes + offset).fill(0x20, PREFIX_BYTES, headerBytes);
  bytes.set(new TextEncoder().encode(MAGIC));
  const view = new DataView(bytes.buffer);
  view.setUint32(8, FORMAT, true);
  view.setUint32(12, headerBytes - PREFIX_BYTES, true);
  bytes.set(json, PREFIX_BYTES);
  for (const [i, array] of arrays.entries()) {
    bytes.set(
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
      headerBytes + sections[i]!.offset,
    );
  }
  return bytes;
}

/**
 * Reads an artefact. Truncated or altered bytes are refused with RECOGNISER_DAMAGED, a newer format with
 * RECOGNISER_NEWER. The caller compares the hash of the bytes first: this only makes sure that whatever is read
 * cannot lead a prediction astray.
 */
export function decodeRecogniser(bytes: Uint8Array): Recogniser {
  if (bytes.length < PREFIX_BYTES || new TextDecoder().decode(bytes.subarray(0, 8)) !== MAGIC) {
    throw damaged('it does not begin like one');
  }
  refuseNewerFormat(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerEnd = PREFIX_BYTES + view.getUint32(12, true);
  if (headerEnd > bytes.length) throw damaged('its header is cut off');
  let header: { body: unknown; sections: readonly Section[] };
  try {
    header = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(PREFIX_BYTES, headerEnd)),
    ) as typeof header;
  } catch (cause) {
    throw damaged('its header is not JSON', cause);
  }
  // Views need 8-byte alignment, which bytes out of a store or a socket do not have. A Buffer's own `slice` copies nothing.
  const block = new Uint8Array(bytes.subarray(headerEnd)).buffer;
  if (!Array.isArray(header?.sections)) throw damaged('its header is not one');
  const arrays = header.sections.map(({ type, offset, length }: Section) => {
    const Type = ARRAY_TYPES[type];
    if (
      Type === undefined ||
      !(offset % 8 === 0 && length >= 0 && offset + length * Type.BYTES_PER_ELEMENT <= block.byteLength)
    ) {
      throw damaged('its numbers are cut off');
    }
    return new Type(block, offset, length);
  });
  const restore = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(restore);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    if (entries.length === 1 && entries[0]![0] === '$array') {
      const array = arrays[Number(entries[0]![1])];
      if (array === undefined) throw damaged('it points to numbers that are not there');
      return array;
    }
    return Object.fromEntries(entries.map(([key, item]) => [key, restore(item)]));
  };
  const recogniser = restore(header.body) as Recogniser;
  try {
    checkShape(recogniser);
  } catch (cause) {
    // A part that is missing altogether shows as a TypeError.
    throw cause instanceof TocsinError ? cause : damaged('a part of it is missing', cause);
  }
  return recogniser;
}

/** Throws RECOGNISER_NEWER for bytes that begin like an artefact of a format this version does not know. */
export function refuseNewerFormat(bytes: Uint8Array): void {
  if (bytes.length < PREFIX_BYTES || new TextDecoder().decode(bytes.subarray(0, 8)) !== MAGIC) return;
  const format = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(8, true);
  if (format > FORMAT) throw newer(`format ${format}`);
}

function checkShape(recogniser: Recogniser): void {
  const schema: unknown = recogniser?.schema;
  if (schema !== RECOGNISER_SCHEMA) {
    if (typeof schema === 'string' && schema.startsWith('tocsin/recogniser/')) throw newer(schema);
    throw damaged('it has no schema');
  }
  const columns = recogniser.preprocessing?.columns?.length;
  const classes = recogniser.classes?.length;
  const { learnt, past } = recogniser;
  if (!(columns > 0) || !(classes > 1) || learnt === undefined) throw damaged('it is incomplete');
  if (past !== undefined && (past.x.length !== past.y.length * columns || past.at.length !== past.y.length)) {
    throw damaged('its sizes disagree');
  }
  if (learnt.kind !== 'vote') return checkLearnt(learnt, columns, classes);
  if (!(learnt.members.length > 0)) throw damaged('it has no members');
  for (const member of learnt.members) checkLearnt(member.learnt, columns, classes);
}

function checkLearnt(learnt: MemberLearnt, columns: number, classes: number): void {
  switch (learnt.kind) {
    case 'forest':
    case 'tree':
      if (learnt.forest.columns !== columns || learnt.forest.classes !== classes)
        throw damaged('its sizes disagree');
      return checkTrees(learnt.forest);
    case 'svm': {
      const { svm } = learnt;
      const total = svm.counts.reduce((sum, n) => sum + n, 0);
      const machines = svm.labels.length - 1;
      const fits =
        svm.columns === columns &&
        svm.vectors.length === total * columns &&
        svm.coefficients.length === machines * total &&
        svm.offsets.length === (svm.labels.length * machines) / 2 &&
        svm.sigmoids.length === svm.offsets.length;
      if (!fits) throw damaged('its sizes disagree');
      return;
    }
    case 'logistic':
      if (learnt.logistic.weights.length !== classes * (columns + 1)) throw damaged('its sizes disagree');
      return;
    case 'mlp': {
      const { hidden, first, second } = learnt.mlp;
      if (first.length !== hidden * (columns + 1) || second.length !== classes * (hidden + 1)) {
        throw damaged('its sizes disagree');
      }
      return;
    }
    default:
      learnt satisfies never;
      throw damaged('its kind is unknown');
  }
}

/** Every child lies after its parent and every leaf has shares: a walk always ends. */
function checkTrees({ feature, threshold, next, distributions, classes, columns, roots }: Forest): void {
  const nodes = feature.length;
  if (threshold.length !== nodes || next.length !== nodes || roots.length === 0)
    throw damaged('its sizes disagree');
  if (roots.some((root) => !(root >= 0 && root < nodes))) throw damaged('a tree has no root');
  const leaves = distributions.length / classes;
  for (let i = 0; i < nodes; i++) {
    const to = next[i]!;
    const fits = feature[i]! < 0 ? to >= 0 && to < leaves : feature[i]! < columns && to > i + 1 && to < nodes;
    if (!fits) throw damaged(`node ${i} of its trees leads nowhere`);
  }
}

function damaged(reason: string, cause?: unknown): TocsinError {
  return new TocsinError(RECOGNISER_DAMAGED, `This is not an intact recogniser artefact: ${reason}.`, {
    cause,
    details: { reason },
  });
}

function newer(found: string): TocsinError {
  return new TocsinError(
    RECOGNISER_NEWER,
    `This recogniser artefact was written by a newer version of Tocsin (${found}); this version reads ${RECOGNISER_SCHEMA}.`,
    { details: { found, supported: RECOGNISER_SCHEMA } },
  );
}
