import fs from 'node:fs';
import path from 'node:path';

export interface LogFile {
  write(line: string): void;
  close(): void;
}

/**
 * Appends lines to a file of bounded size: at `maxBytes` it becomes `<file>.1`, replacing the one before, so
 * that a log never takes more than twice that.
 *
 * Writes are synchronous, so that the last words before a crash are there.
 *
 * @param maxBytes at least 1. Default 5 MiB
 */
export function openLogFile(file: string, maxBytes = 5 * 1024 * 1024): LogFile {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  let handle = fs.openSync(file, 'a');
  let size = fs.fstatSync(handle).size;
  let open = true;
  return {
    write(line) {
      if (!open) return;
      const bytes = Buffer.from(`${line}\n`);
      if (size > 0 && size + bytes.length > maxBytes) {
        fs.closeSync(handle);
        fs.renameSync(file, `${file}.1`);
        handle = fs.openSync(file, 'w');
        size = 0;
      }
      try {
        fs.writeSync(handle, bytes);
        size += bytes.length;
      } catch (error) {
        // A full disk must not stop the responders for want of a log line.
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    },
    close() {
      if (!open) return;
      open = false;
      fs.closeSync(handle);
    },
  };
}

/**
 * The log of one role or server: `<logsDir>/<name>.log`, and with `echo` also standard error, each line after
 * the name.
 */
export function openRoleLog(logsDir: string, name: string, { echo = false } = {}): LogFile {
  const file = openLogFile(path.join(logsDir, `${name}.log`));
  return {
    write(line) {
      file.write(line);
      if (echo) process.stderr.write(`[${name}] ${line}\n`);
    },
    close: () => file.close(),
  };
}
