import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';

/** A file that only grows at its end. */
export interface DiskFile {
  /** Writes at the end; it is safe from a crash once `sync` has resolved. */
  append(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The few things a spool does to a directory, so that tests can crash it anywhere. */
export interface Disk {
  names(): Promise<string[]>;
  /** Opens for appending; made when it is missing. */
  open(name: string): Promise<DiskFile>;
  size(name: string): Promise<number>;
  /** Fewer bytes at the end of the file. */
  read(name: string, from: number, length: number): Promise<Buffer>;
  /** Cuts the file, and makes that safe. */
  truncate(name: string, size: number): Promise<void>;
  remove(name: string): Promise<void>;
  /** Makes names that were made or removed safe. */
  syncNames(): Promise<void>;
}

/** A real directory; made when it is missing. */
export function openDirectory(directory: string): Disk {
  fs.mkdirSync(directory, { recursive: true });
  const at = (name: string): string => path.join(directory, name);
  const withFile = async <T>(name: string, flags: string, use: (file: fsp.FileHandle) => Promise<T>) => {
    const file = await fsp.open(at(name), flags);
    try {
      return await use(file);
    } finally {
      await file.close();
    }
  };
  return {
    names: () => fsp.readdir(directory),
    async open(name) {
      const file = await fsp.open(at(name), 'a');
      return {
        async append(bytes) {
          for (let from = 0; from < bytes.length;) {
            from += (await file.write(bytes, from, bytes.length - from)).bytesWritten;
          }
        },
        sync: () => file.datasync(),
        close: () => file.close(),
      };
    },
    size: async (name) => (await fsp.stat(at(name))).size,
    read: (name, from, length) =>
      withFile(name, 'r', async (file) => {
        const bytes = Buffer.allocUnsafe(length);
        let got = 0;
        while (got < length) {
          const { bytesRead } = await file.read(bytes, got, length - got, from + got);
          if (bytesRead === 0) break;
          got += bytesRead;
        }
        return bytes.subarray(0, got);
      }),
    truncate: (name, size) =>
      withFile(name, 'r+', async (file) => {
        await file.truncate(size);
        await file.sync();
      }),
    remove: (name) => fsp.unlink(at(name)),
    async syncNames() {
      // Windows cannot sync a directory, and need not.
      if (process.platform === 'win32') return;
      await withFile('.', 'r', (directoryFile) => directoryFile.sync());
    },
  };
}

/**
 * Takes a directory for this process. A lock that a dead process left is taken over.
 *
 * @returns what gives it back
 * @throws Error when a living process has it
 */
export function lockDirectory(directory: string): () => void {
  fs.mkdirSync(directory, { recursive: true });
  const file = path.join(directory, 'lock');
  for (let tries = 0; ; tries++) {
    try {
      fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
      held.add(path.resolve(file));
      return () => {
        held.delete(path.resolve(file));
        fs.rmSync(file, { force: true });
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries > 3) throw error;
      const holder = Number(readIfThere(file));
      const lives = holder === process.pid ? held.has(path.resolve(file)) : isAlive(holder);
      if (lives) throw new Error(`Process ${holder} has the spool in ${directory} open.`, { cause: error });
      fs.rmSync(file, { force: true });
    }
  }
}

/** Locks of this process: after a restart in a container the same number may be that of another process. */
const held = new Set<string>();

function readIfThere(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
