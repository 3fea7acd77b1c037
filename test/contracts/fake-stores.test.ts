import { createFakeStores } from '../../models/fake-stores.ts';
import { holdToStoreContract } from './stores.ts';

holdToStoreContract('in memory', async () => createFakeStores());
