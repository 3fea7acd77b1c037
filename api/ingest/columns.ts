/** Where a message of the contract keeps what; 0: it has no such field. */
export interface MessageShape {
  readonly sequence: number;
  readonly sentAtMs: number;
  readonly items: number;
}

export const PUBLISH_SHAPE: MessageShape = { sequence: 1, sentAtMs: 2, items: 3 };
export const PUBLISH_ONCE_SHAPE: MessageShape = { sequence: 0, sentAtMs: 1, items: 2 };

/** More items or readings than this take the ordinary way, which knows what to say about them. */
const ITEMS_AT_MOST = 1_000;
const COLUMN_READINGS_AT_MOST = 10_000;
/** A message of 256 KiB holds fewer. */
const READINGS_AT_MOST = 40_000;
const EXACT_AT_MOST = 2 ** 52;
const UINT32_AT_MOST = 2 ** 32 - 1;

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const READING = (1 << 3) | BYTES;
const COLUMNS = (2 << 3) | BYTES;

/**
 * Reads messages of readings and columns from their wire bytes into arrays: no object an item, no string a sensor.
 * It understands what encoders write in practice, each field once and in its own wire type; of everything else it
 * says so, and the message is decoded the ordinary way. So what it accepts it reads as protobufjs does.
 *
 * The arrays belong to the decoder and hold until the next message.
 */
export class ColumnDecoder {
  /** Of the message; 0 when absent. */
  sequence = 0;
  sentAtMs = 0;
  /** Number of items, and of all their readings. */
  items = 0;
  readings = 0;
  bytes: Buffer = Buffer.alloc(0);
  /** Per item: its own bytes in the message. */
  readonly itemAt = new Int32Array(ITEMS_AT_MOST);
  readonly itemEnd = new Int32Array(ITEMS_AT_MOST);
  /** Handle of the sensor; -1: not known, or an item that must be looked at the ordinary way. */
  readonly sensor = new Int32Array(ITEMS_AT_MOST);
  readonly bootAt = new Int32Array(ITEMS_AT_MOST);
  readonly bootEnd = new Int32Array(ITEMS_AT_MOST);
  readonly unitAt = new Int32Array(ITEMS_AT_MOST);
  readonly unitEnd = new Int32Array(ITEMS_AT_MOST);
  /** Sequence of the first reading. */
  readonly first = new Float64Array(ITEMS_AT_MOST);
  /** Where the item's readings end in `atMs` and `values`; they begin where those of the item before end. */
  readonly readingsEnd = new Int32Array(ITEMS_AT_MOST);
  /** Per reading. */
  readonly atMs = new Float64Array(READINGS_AT_MOST);
  readonly values = new Float64Array(READINGS_AT_MOST);
  #view: DataView = new DataView(new ArrayBuffer(0));
  /** Behind the last varint. */
  #at = 0;

  /**
   * Reads one message; false: it is not of the usual kind, and nothing of it was kept.
   *
   * @param find answers the handle of the sensor named by a range of bytes, or -1
   */
  decode(bytes: Buffer, shape: MessageShape, names: NameFinder): boolean {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.sequence = 0;
    this.sentAtMs = 0;
    this.items = 0;
    this.readings = 0;
    const end = bytes.length;
    let hasSequence = false;
    let hasSentAt = false;
    const sequenceTag = shape.sequence === 0 ? -1 : (shape.sequence << 3) | VARINT;
    const sentAtTag = (shape.sentAtMs << 3) | VARINT;
    const itemsTag = (shape.items << 3) | BYTES;
    let at = 0;
    while (at < end) {
      const tag = bytes[at++]!;
      if (tag === itemsTag) {
        const length = this.#varint(at, end);
        at = this.#at;
        if (length < 0 || length > end - at || this.items === ITEMS_AT_MOST) return false;
        if (!this.#item(at, at + length, names)) return false;
        at += length;
      } else if (tag === sequenceTag && !hasSequence) {
        hasSequence = true;
        if ((this.sequence = this.#varint(at, end)) < 0) return false;
        at = this.#at;
      } else if (tag === sentAtTag && !hasSentAt) {
        hasSentAt = true;
        if ((this.sentAtMs = this.#varint(at, end)) < 0) return false;
        at = this.#at;
      } else return false;
    }
    return true;
  }

  #item(start: number, end: number, names: NameFinder): boolean {
    if (end - start < 2) return false;
    const tag = this.bytes[start]!;
    const length = this.#varint(start + 1, end);
    if (length < 0 || this.#at + length !== end) return false;
    const index = this.items;
    this.itemAt[index] = start;
    this.itemEnd[index] = end;
    this.bootAt[index] = this.bootEnd[index] = 0;
    this.unitAt[index] = this.unitEnd[index] = 0;
    this.first[index] = 0;
    const read =
      tag === READING
        ? this.#reading(this.#at, end, index, names)
        : tag === COLUMNS
          ? this.#columns(this.#at, end, index, names)
          : false;
    if (!read) return false;
    this.readingsEnd[index] = this.readings;
    this.items = index + 1;
    return true;
  }

  #reading(start: number, end: number, index: number, names: NameFinder): boolean {
    const { bytes, readings } = this;
    if (readings === READINGS_AT_MOST) return false;
    let seen = 0;
    let sensorAt = 0;
    let sensorEnd = 0;
    let atMs = 0;
    let value = 0;
    let at = start;
    while (at < end) {
      const tag = bytes[at++]!;
      const bit = 1 << (tag >> 3);
      if ((seen & bit) !== 0 || tag > 127) return false;
      seen |= bit;
      switch (tag) {
        case (1 << 3) | BYTES:
        case (2 << 3) | BYTES:
        case (6 << 3) | BYTES: {
          const length = this.#varint(at, end);
          at = this.#at;
          if (length < 0 || length > end - at) return false;
          if (tag === ((1 << 3) | BYTES)) {
            sensorAt = at;
            sensorEnd = at + length;
          } else if (!this.#text(tag >> 3 === 2, index, at, at + length)) return false;
          at += length;
          break;
        }
        case (3 << 3) | VARINT:
          if ((this.first[index] = this.#varint(at, end)) < 0) return false;
          at = this.#at;
          break;
        case (4 << 3) | VARINT:
          if ((atMs = this.#varint(at, end)) < 0) return false;
          at = this.#at;
          break;
        case (5 << 3) | FIXED64:
          if (end - at < 8) return false;
          value = this.#view.getFloat64(at, true);
          at += 8;
          break;
        default:
          return false;
      }
    }
    this.atMs[readings] = atMs;
    this.values[readings] = value;
    this.readings = readings + 1;
    this.sensor[index] = sensorEnd > sensorAt ? names.find(bytes, sensorAt, sensorEnd) : -1;
    return true;
  }

  #columns(start: number, end: number, index: number, names: NameFinder): boolean {
    const { bytes } = this;
    let seen = 0;
    let sensorAt = 0;
    let sensorEnd = 0;
    let firstMs = 0;
    let intervalMs = 0;
    let offsetsAt = 0;
    let offsetsEnd = 0;
    let valuesAt = 0;
    let valuesEnd = 0;
    let at = start;
    while (at < end) {
      const tag = bytes[at++]!;
      const bit = 1 << (tag >> 3);
      if ((seen & bit) !== 0 || tag > 127) return false;
      seen |= bit;
      const number = this.#varint(at, end);
      at = this.#at;
      if (number < 0) return false;
      switch (tag) {
        case (1 << 3) | BYTES:
        case (2 << 3) | BYTES:
        case (5 << 3) | BYTES:
        case (7 << 3) | BYTES:
        case (8 << 3) | BYTES:
          if (number > end - at) return false;
          if (tag >> 3 === 1) [sensorAt, sensorEnd] = [at, at + number];
          else if (tag >> 3 === 5) [offsetsAt, offsetsEnd] = [at, at + number];
          else if (tag >> 3 === 7) [valuesAt, valuesEnd] = [at, at + number];
          else if (!this.#text(tag >> 3 === 2, index, at, at + number)) return false;
          at += number;
          break;
        case (3 << 3) | VARINT:
          this.first[index] = number;
          break;
        case (4 << 3) | VARINT:
          firstMs = number;
          break;
        case (6 << 3) | VARINT:
          if (number > UINT32_AT_MOST) return false;
          intervalMs = number;
          break;
        default:
          return false;
      }
    }
    if ((valuesEnd - valuesAt) % 8 !== 0) return false;
    const count = (valuesEnd - valuesAt) / 8;
    const from = this.readings;
    if (count > READINGS_AT_MOST - from) return false;
    const offsets = this.#offsets(offsetsAt, offsetsEnd, firstMs, from, from + count);
    if (offsets === null) return false;
    const isUsual =
      count > 0 &&
      count <= COLUMN_READINGS_AT_MOST &&
      (offsets === 'fit' || (offsetsEnd === offsetsAt && (count === 1 || intervalMs > 0)));
    if (!isUsual || sensorEnd === sensorAt) {
      this.sensor[index] = -1;
      return true;
    }
    const { values, atMs } = this;
    const view = this.#view;
    for (let n = 0; n < count; n++) values[from + n] = view.getFloat64(valuesAt + n * 8, true);
    if (offsetsEnd === offsetsAt) for (let n = 0; n < count; n++) atMs[from + n] = firstMs + n * intervalMs;
    this.readings = from + count;
    this.sensor[index] = names.find(bytes, sensorAt, sensorEnd);
    return true;
  }

  /** Writes times; `fit` when there is one for each reading and none goes back, null when they are no packed numbers. */
  #offsets(start: number, end: number, firstMs: number, from: number, to: number): 'fit' | 'unfit' | null {
    if (start === end) return 'unfit';
    const { bytes, atMs } = this;
    let at = start;
    let index = from;
    let before = 0;
    let fits = true;
    while (at < end) {
      let offset = bytes[at]!;
      if (offset < 128) at++;
      else {
        offset = this.#varint(at, end);
        if (offset < 0 || offset > UINT32_AT_MOST) return null;
        at = this.#at;
      }
      if (index === to || offset < before) fits = false;
      if (fits) atMs[index] = firstMs + offset;
      before = offset;
      index++;
    }
    return fits && index === to ? 'fit' : 'unfit';
  }

  /** Boot and unit; other than ASCII is for a decoder that knows UTF-8. */
  #text(isBoot: boolean, index: number, start: number, end: number): boolean {
    const { bytes } = this;
    for (let at = start; at < end; at++) if (bytes[at]! > 127) return false;
    if (isBoot) {
      this.bootAt[index] = start;
      this.bootEnd[index] = end;
    } else {
      this.unitAt[index] = start;
      this.unitEnd[index] = end;
    }
    return true;
  }

  /** Reads a varint and leaves `#at` behind it; -1: cut off, or too large to be exact. */
  #varint(start: number, end: number): number {
    const { bytes } = this;
    let at = start;
    if (at >= end) return -1;
    let byte = bytes[at++]!;
    if (byte < 128) {
      this.#at = at;
      return byte;
    }
    let value = byte & 127;
    let shift = 7;
    while (shift < 28) {
      if (at >= end) return -1;
      byte = bytes[at++]!;
      value |= (byte & 127) << shift;
      if (byte < 128) {
        this.#at = at;
        return value;
      }
      shift += 7;
    }
    let scale = 2 ** 28;
    for (;;) {
      if (at >= end || scale > EXACT_AT_MOST) return -1;
      byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) {
        this.#at = at;
        return value <= EXACT_AT_MOST ? value : -1;
      }
      scale *= 128;
    }
  }
}

export interface NameFinder {
  /** Handle of the name in bytes start..end, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number;
}
