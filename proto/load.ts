import { fileURLToPath } from 'node:url';
import { loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { MessageTypeDefinition, PackageDefinition } from '@grpc/proto-loader';
import type { ProtoGrpcType as IngestTypes } from './gen/ingest.ts';
import type { ProtoGrpcType as OperationsTypes } from './gen/operations.ts';

const directory = fileURLToPath(new URL('.', import.meta.url));

/** The wire contract, as written in `tocsin/v1`. 64-bit numbers are strings, enums are their names. */
export const wire: PackageDefinition = loadSync(
  [
    'tocsin/v1/ingest.proto',
    'tocsin/v1/operations.proto',
    'google/rpc/status.proto',
    'google/rpc/error_details.proto',
  ],
  { includeDirs: [directory], longs: String, enums: String, defaults: true, oneofs: true },
);

const types = loadPackageDefinition(wire) as unknown as IngestTypes & OperationsTypes;
export const { IngestService, OperationsService } = types.tocsin.v1;

/** Serialises a message that is in no method, such as the details of an error. */
export function encodeMessage(name: string, value: object): Buffer {
  const definition = wire[name] as MessageTypeDefinition<object, object> | undefined;
  if (definition === undefined) throw new RangeError(`No message ${name} in the contract.`);
  return definition.serialize(value);
}

export function decodeMessage<T extends object>(name: string, bytes: Buffer): T {
  const definition = wire[name] as MessageTypeDefinition<object, object> | undefined;
  if (definition === undefined) throw new RangeError(`No message ${name} in the contract.`);
  return definition.deserialize(bytes) as T;
}
