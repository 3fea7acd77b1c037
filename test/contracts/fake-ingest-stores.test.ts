import { createFakeIngestStores } from '../../models/fake-inbox.ts';
import { holdToIngestStoreContract } from './ingest-stores.ts';

holdToIngestStoreContract('in memory', async () => createFakeIngestStores());
