const FIRST_SLOTS = 256;

/**
 * Names by their bytes: a known name gets its handle (0, 1, 2, …) without becoming a string. Senders repeat their
 * sensors in the same order, so the one that came next last time is tried first.
 */
export class NameTable {
  readonly #admit: (name: string) => boolean;
  #slots = new Int32Array(FIRST_SLOTS).fill(-1);
  #hashes = new Int32Array(FIRST_SLOTS);
  #at = new Int32Array(FIRST_SLOTS + 1);
  #next = new Int32Array(FIRST_SLOTS).fill(-1);
  #bytes = new Uint8Array(FIRST_SLOTS * 16);
  #last = -1;
  #size = 0;

  /** @param admit told of each name that is not known yet; only what it admits is remembered */
  constructor(admit: (name: string) => boolean) {
    this.#admit = admit;
  }

  get size(): number {
    return this.#size;
  }

  /** Handle of the name in `bytes` from `start` to `end`, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const last = this.#last;
    if (last >= 0) {
      const expected = this.#next[last]!;
      if (expected >= 0 && this.#is(expected, bytes, start, end)) return (this.#last = expected);
    }
    const handle = this.#search(bytes, start, end);
    if (handle >= 0) {
      if (last >= 0) this.#next[last] = handle;
      this.#last = handle;
    }
    return handle;
  }

  #search(bytes: Uint8Array, start: number, end: number): number {
    let hash = end - start;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
    hash ^= hash >>> 15;
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const handle = this.#slots[slot]!;
      if (handle < 0) break;
      if (this.#hashes[handle] === hash && this.#is(handle, bytes, start, end)) return handle;
      slot = (slot + 1) & mask;
    }
    if (!this.#admit(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')))
      return -1;
    return this.#add(hash, bytes, start, end);
  }

  #is(handle: number, bytes: Uint8Array, start: number, end: number): boolean {
    const own = this.#bytes;
    const from = this.#at[handle]!;
    let to = this.#at[handle + 1]!;
    if (to - from !== end - start) return false;
    // Names of one vendor begin alike and end differently.
    let at = end;
    while (to > from) if (own[--to] !== bytes[--at]) return false;
    return true;
  }

  #add(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const handle = this.#size;
    if (handle * 2 >= this.#slots.length) this.#grow();
    const from = this.#at[handle]!;
    const to = from + end - start;
    if (to > this.#bytes.length) this.#bytes = grown(this.#bytes, Math.max(to, this.#bytes.length * 2));
    this.#bytes.set(bytes.subarray(start, end), from);
    this.#at[handle + 1] = to;
    this.#hashes[handle] = hash;
    this.#size = handle + 1;
    this.#place(handle);
    return handle;
  }

  #grow(): void {
    const slots = this.#slots.length * 2;
    this.#slots = new Int32Array(slots).fill(-1);
    const { length } = this.#next;
    this.#hashes = grown(this.#hashes, slots);
    this.#at = grown(this.#at, slots + 1);
    this.#next = grown(this.#next, slots).fill(-1, length);
    for (let handle = 0; handle < this.#size; handle++) this.#place(handle);
  }

  #place(handle: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hashes[handle]! & mask;
    while (this.#slots[slot]! >= 0) slot = (slot + 1) & mask;
    this.#slots[slot] = handle;
  }
}

function grown<A extends Int32Array | Uint8Array>(array: A, length: number): A {
  const larger = new (array.constructor as new (length: number) => A)(length);
  larger.set(array);
  return larger;
}
