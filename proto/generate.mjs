/*
 * node proto/generate.mjs [directory]: writes the TypeScript types of the wire contract, into proto/gen unless told
 * otherwise.
 */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.resolve(process.argv[2] ?? path.join(here, 'gen'));

execFileSync(
  path.join(here, '../node_modules/.bin/proto-loader-gen-types'),
  [
    '--longs=String',
    '--enums=String',
    '--defaults',
    '--oneofs',
    '--includeComments',
    '--grpcLib=@grpc/grpc-js',
    '--importFileExtension=.ts',
    '-I',
    'proto',
    '-O',
    path.relative(path.join(here, '..'), out),
    'tocsin/v1/ingest.proto',
    'tocsin/v1/operations.proto',
    'google/rpc/status.proto',
    'google/rpc/error_details.proto',
  ],
  { cwd: path.join(here, '..'), stdio: ['ignore', 'ignore', 'inherit'] },
);
