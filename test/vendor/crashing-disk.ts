import type { Disk, DiskFile } from '../../vendor/disk.ts';

interface File {
  bytes: Buffer;
  /** Bytes at the start that are safe. */
  safe: number;
}

/**
 * A disk in memory that can lose power: of what was not synced any part of the tail may be there afterwards, and
 * the last bytes of it may be anything.
 */
export class CrashingDisk implements Disk {
  readonly files = new Map<string, File>();
  /** Names are safe only after `syncNames`; a removal may come undone. */
  readonly #safeNames = new Set<string>();
  readonly #removed = new Map<string, File>();
  /** Operations until the power goes; then every one of them fails. */
  operationsLeft = Infinity;

  async #operate(): Promise<void> {
    await Promise.resolve();
    if (this.operationsLeft <= 0) throw new Error('the power is gone');
    this.operationsLeft -= 1;
  }

  async names(): Promise<string[]> {
    await this.#operate();
    return [...this.files.keys()];
  }

  async open(name: string): Promise<DiskFile> {
    await this.#operate();
    if (!this.files.has(name)) this.files.set(name, { bytes: Buffer.alloc(0), safe: 0 });
    const file = this.files.get(name)!;
    return {
      append: async (bytes) => {
        // Half of a write may be there when the power goes in the middle of it.
        if (this.operationsLeft === 0)
          file.bytes = Buffer.concat([file.bytes, bytes.subarray(0, bytes.length / 2)]);
        await this.#operate();
        file.bytes = Buffer.concat([file.bytes, bytes]);
      },
      sync: async () => {
        await this.#operate();
        file.safe = file.bytes.length;
      },
      close: async () => this.#operate(),
    };
  }

  async size(name: string): Promise<number> {
    await this.#operate();
    return this.files.get(name)!.bytes.length;
  }

  async read(name: string, from: number, length: number): Promise<Buffer> {
    await this.#operate();
    return this.files.get(name)!.bytes.subarray(from, from + length);
  }

  async truncate(name: string, size: number): Promise<void> {
    await this.#operate();
    const file = this.files.get(name)!;
    file.bytes = file.bytes.subarray(0, size);
    file.safe = Math.min(file.safe, size);
  }

  async remove(name: string): Promise<void> {
    await this.#operate();
    this.#removed.set(name, this.files.get(name)!);
    this.files.delete(name);
  }

  async syncNames(): Promise<void> {
    await this.#operate();
    this.#removed.clear();
    for (const name of this.files.keys()) this.#safeNames.add(name);
  }

  /** What is there when the power comes back. @param random 0..1, seeded */
  afterPowerCut(random: () => number): CrashingDisk {
    const next = new CrashingDisk();
    for (const [name, { bytes, safe }] of this.files) {
      // A segment whose name was never synced may be gone; nothing in it was promised.
      if (safe === 0 && !this.#safeNames.has(name) && random() < 0.5) continue;
      const kept = safe + Math.floor(random() * (bytes.length - safe + 1));
      const after = Buffer.from(bytes.subarray(0, kept));
      if (kept > safe && random() < 0.5) {
        const from = safe + Math.floor(random() * (kept - safe));
        for (let n = from; n < kept; n++) after[n] = random() < 0.5 ? 0 : Math.floor(random() * 256);
      }
      next.files.set(name, { bytes: after, safe: after.length });
    }
    return next;
  }
}
