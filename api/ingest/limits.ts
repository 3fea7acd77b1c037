import type { DurationMs } from '../../domain/units.ts';

/** What the door allows. Sources: design rules of docs/vendors.md; every limit has a test. */
export interface IngestLimits {
  /** Bytes of one message. */
  readonly messageBytesAtMost: number;
  readonly itemsAtMost: number;
  /** Unanswered readings of one stream; the stream is paused at more. */
  readonly unackedReadingsAtMost: number;
  /** Bytes on their way into the archive, at most; `fair.ts` says how they are divided. */
  readonly pendingBytesAtMost: number;
  readonly retryAfterMs: DurationMs;
  readonly streamsPerConnectionAtMost: number;
  readonly streamsPerVendorAtMost: number;
  /** Connections with an open call of one vendor. */
  readonly connectionsPerVendorAtMost: number;
  /** Quota of a vendor, all its streams together; at more, messages are answered RETRY_LATER. */
  readonly readingsPerSecondAtMost: number;
  readonly bytesPerSecondAtMost: number;
  /** The one message of a unary call must have arrived by then. */
  readonly receiveWithinMs: DurationMs;
  /** Memory of one HTTP/2 session. */
  readonly sessionMegabytesAtMost: number;
  readonly keepaliveEveryMs: DurationMs;
  readonly keepaliveWithinMs: DurationMs;
  readonly connectionAgeAtMostMs: DurationMs;
  readonly connectionAgeGraceMs: DurationMs;
  readonly connectionIdleAtMostMs: DurationMs;
  readonly authenticateWithinMs: DurationMs;
  /** An open stream's key is checked again this often: the longest a revocation takes there. */
  readonly reauthenticateEveryMs: DurationMs;
  /** While the store cannot be asked, an open stream goes on for so long after its last good check. */
  readonly uncheckedAtMostMs: DurationMs;
  /** A stream that says nothing for so long is ended; the client opens another when it has something to say. */
  readonly silentStreamAfterMs: DurationMs;
  /** Readings observed so long after they were received are marked: the device's clock is off. */
  readonly skewAfterMs: DurationMs;
  /** … and these are refused. */
  readonly futureAtMostMs: DurationMs;
  /** Older ones are refused: they may have been forgotten, so a duplicate could not be told. */
  readonly lateAtMostMs: DurationMs;
  /** Older readings are archived but open nothing. */
  readonly readingTriggersWithinMs: DurationMs;
  /** Networks publish notices minutes after the event; older ones than this open nothing. */
  readonly bulletinTriggersWithinMs: DurationMs;
}

export const INGEST_LIMITS: IngestLimits = {
  messageBytesAtMost: 256 * 1024,
  itemsAtMost: 1_000,
  unackedReadingsAtMost: 1_000,
  pendingBytesAtMost: 8 * 1024 * 1024,
  retryAfterMs: 500,
  streamsPerConnectionAtMost: 16,
  streamsPerVendorAtMost: 64,
  connectionsPerVendorAtMost: 64,
  readingsPerSecondAtMost: 5_000_000,
  bytesPerSecondAtMost: 256 * 1024 * 1024,
  receiveWithinMs: 10_000,
  sessionMegabytesAtMost: 10,
  keepaliveEveryMs: 20_000,
  keepaliveWithinMs: 10_000,
  connectionAgeAtMostMs: 30 * 60_000,
  connectionAgeGraceMs: 30_000,
  connectionIdleAtMostMs: 5 * 60_000,
  authenticateWithinMs: 5_000,
  reauthenticateEveryMs: 15_000,
  uncheckedAtMostMs: 60_000,
  silentStreamAfterMs: 60_000,
  skewAfterMs: 5_000,
  futureAtMostMs: 300_000,
  lateAtMostMs: 72 * 3_600_000,
  readingTriggersWithinMs: 120_000,
  bulletinTriggersWithinMs: 3_600_000,
};
