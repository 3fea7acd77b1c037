/** `@tocsin/vendor`: what a vendor needs to send to Tocsin. See docs/vendors.md. */
export { Backoff } from './backoff.ts';
export { ITEMS_AT_MOST, MESSAGE_BYTES_AT_MOST, VendorClient } from './client.ts';
export type { VendorClientOptions } from './client.ts';
export { VendorError } from './failure.ts';
export type { Answer, Receipt, Refusal } from './receipt.ts';
export type { Gap } from './wire.ts';
