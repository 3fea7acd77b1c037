import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import path from 'node:path';
import { IngestService } from '../../proto/load.ts';
import { withRawMessages } from '../../api/ingest/message.ts';

/**
 * The reference: decodes each message with protobufjs' own code and does nothing with it. It says so once, when the
 * stream ends: an answer to each message would be work.
 */
const root = new protobuf.Root();
root.resolvePath = (_, target) => path.resolve(import.meta.dirname, '../../proto', target);
root.loadSync('tocsin/v1/ingest.proto');
const type = root.lookupType('tocsin.v1.PublishRequest');

const server = new Server({ 'grpc.max_receive_message_length': 4 * 1024 * 1024 });
server.addService(withRawMessages(IngestService.service), {
  Publish: (call: ServerDuplexStream<Buffer, Buffer>) => {
    let messages = 0;
    let items = 0;
    call.on('data', (bytes: Buffer) => {
      messages += 1;
      items += (type.decode(bytes) as unknown as { items: unknown[] }).items.length;
    });
    call.on('end', () => {
      call.write(
        IngestService.service.Publish.responseSerialize({
          acknowledgedThrough: messages,
          archivedThrough: items,
        }),
      );
      call.end();
    });
  },
});
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send!({ cpuMs: (user + system) / 1_000 });
});
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.send!({ port });
});
// The parent is gone, however it went.
process.on('disconnect', () => process.exit());
