export class LockHeld extends Error {
  holder: number;
  constructor(file: string, holder: number);
}
export function takeLock(file: string): () => void;
export function waitForLock(file: string, onWait?: (holder: number) => void): Promise<() => void>;
