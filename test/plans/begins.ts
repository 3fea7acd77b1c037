import type { Found } from '../../domain/detect/watch.ts';

/** When each leaf began to hold, in units of so many milliseconds, from detections and later evidence. */
export const beginsOf = (found: readonly Found[], unitMs: number): Record<string, number> =>
  Object.fromEntries(
    found
      .flatMap((one) =>
        one.kind === 'detection' ? one.detection.evidence : one.kind === 'evidence' ? [one.evidence] : [],
      )
      .flatMap((item) =>
        item.kind === 'readings' && item.holds ? [[item.leaf, item.atMs / unitMs] as const] : [],
      ),
  );
