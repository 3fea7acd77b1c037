import { after, test } from 'node:test';
import { createIngestStores } from '../../models/inbox.ts';
import { useStoreAt } from '../support/store.ts';
import { holdToIngestStoreContract } from './ingest-stores.ts';

const uri = process.env['MONGODB_URI'];
if (uri) {
  const store = useStoreAt(uri);
  after(() => store.stop());
  holdToIngestStoreContract('store at MONGODB_URI', async () => createIngestStores(await store.connect()));
} else {
  test(
    'the ingest stores keep their contract at MONGODB_URI',
    { skip: 'MONGODB_URI is not set' },
    () => undefined,
  );
}
