/** Instants are milliseconds since 1970-01-01T00:00:00Z; durations are milliseconds unless a name says otherwise. */
export type EpochMs = number;
export type DurationMs = number;

/** A sentence shown to people, in every language the product speaks. */
export interface Text {
  readonly en: string;
  readonly zh: string;
}

/** WGS 84 position. Latitude -90..90, longitude -180..180, degrees. */
export interface Position {
  readonly latitudeDeg: number;
  readonly longitudeDeg: number;
}

/**
 * Incident level, I (extremely serious) to IV, as in China's National Emergency Response Law (2024, art. 53):
 * red, orange, yellow, blue.
 */
export type Level = 'I' | 'II' | 'III' | 'IV';
export const LEVELS: readonly Level[] = ['I', 'II', 'III', 'IV'];

/** 1 (level I) .. 4 (level IV): smaller is more serious. Also the Temporal priority key and search attribute. */
export const levelRank = (level: Level): number => LEVELS.indexOf(level) + 1;

/** `live` acts on the world; `exercise` never reaches a live channel. */
export type Mode = 'live' | 'exercise';

/**
 * `wall`: the time of day drives every deadline. `feed`: a recorded or rehearsed feed carries its own time, and
 * deadlines pass when that feed's clock passes them (docs/adr/0008).
 */
export type ClockKind = 'wall' | 'feed';

/** The five stages, always in this order and spelling. */
export type Stage = 'detect' | 'classify' | 'dispatch' | 'evaluate' | 'refine';

/** Values that survive JSON unchanged. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
