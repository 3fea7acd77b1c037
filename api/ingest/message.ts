import type { ServiceDefinition } from '@grpc/grpc-js';
import { decodeMessage, IngestService } from '../../proto/load.ts';
import type { Item__Output } from '../../proto/gen/tocsin/v1/Item.ts';
import type { PublishOnceRequest__Output } from '../../proto/gen/tocsin/v1/PublishOnceRequest.ts';
import type { PublishRequest__Output } from '../../proto/gen/tocsin/v1/PublishRequest.ts';
import { ColumnDecoder, PUBLISH_ONCE_SHAPE, PUBLISH_SHAPE } from './columns.ts';
import type { NameFinder } from './columns.ts';

/** A message as it is read: as columns where it can be, item by item where it must be. */
export type Message =
  | {
      readonly kind: 'columns';
      /** As the client numbered it; 0: not at all. */
      readonly sequence: number;
      /** Number of items. */
      readonly size: number;
      readonly columns: ColumnDecoder;
    }
  | {
      readonly kind: 'items';
      readonly sequence: number;
      readonly size: number;
      readonly sentAtMs: number;
      readonly items: readonly Item__Output[];
    }
  | { readonly kind: 'malformed'; readonly sequence: 0; readonly size: 1; readonly bytes: Uint8Array };

const decoder = new ColumnDecoder();

/**
 * Reads a message of `Publish` or `PublishOnce` from its bytes. Columns hold until the next message is read.
 *
 * @param names the sender's sensors
 */
export function readMessage(method: 'Publish' | 'PublishOnce', bytes: Buffer, names: NameFinder): Message {
  if (decoder.decode(bytes, method === 'Publish' ? PUBLISH_SHAPE : PUBLISH_ONCE_SHAPE, names)) {
    return { kind: 'columns', sequence: decoder.sequence, size: decoder.items, columns: decoder };
  }
  try {
    const request = IngestService.service[method].requestDeserialize(bytes) as
      PublishRequest__Output | PublishOnceRequest__Output;
    return {
      kind: 'items',
      sequence: 'sequence' in request ? Number(request.sequence) : 0,
      size: request.items.length,
      sentAtMs: Number(request.sentAtMs),
      items: request.items,
    };
  } catch {
    return { kind: 'malformed', sequence: 0, size: 1, bytes };
  }
}

/** One item of a message that was read as columns, the ordinary way. */
export const itemOf = (columns: ColumnDecoder, item: number): Item__Output =>
  decodeMessage<Item__Output>(
    'tocsin.v1.Item',
    columns.bytes.subarray(columns.itemAt[item], columns.itemEnd[item]),
  );

/**
 * The service with messages left as bytes: bytes that cannot be decoded are answered, and end no stream. Answers on a
 * stream are bytes too.
 */
export function withRawMessages(service: ServiceDefinition): ServiceDefinition {
  const asItIs = (bytes: Buffer): Buffer => bytes;
  const { Publish, PublishOnce } = service;
  return {
    ...service,
    Publish: { ...Publish!, requestDeserialize: asItIs, responseSerialize: asItIs },
    PublishOnce: { ...PublishOnce!, requestDeserialize: asItIs },
  };
}
