import { after } from 'node:test';
import { createIngestStores } from '../../models/inbox.ts';
import { startEmbeddedStore } from '../support/store.ts';
import { holdToIngestStoreContract } from './ingest-stores.ts';

const store = await startEmbeddedStore();
after(() => store.stop());

holdToIngestStoreContract('embedded store', async () => createIngestStores(await store.connect()));
