/** `@tocsin/vendor`: what a vendor needs to send to Tocsin. See docs/vendors.md. */
export { Backoff } from './backoff.ts';
export type { BackoffOptions } from './backoff.ts';
export { Batcher } from './batcher.ts';
export type { BatcherOptions } from './batcher.ts';
export { ITEMS_AT_MOST, MESSAGE_BYTES_AT_MOST, VendorClient } from './client.ts';
export type { VendorClientOptions } from './client.ts';
export { packReadings } from './columns.ts';
export type { PlainReading } from './columns.ts';
export { VendorError } from './failure.ts';
export { Outbox } from './outbox.ts';
export type { OutboxOptions, OutboxState } from './outbox.ts';
export type { Answer, Receipt, Refusal } from './receipt.ts';
export { SpoolFull } from './spool.ts';
export type { SpoolOptions } from './spool.ts';
export type { Gap } from './wire.ts';
