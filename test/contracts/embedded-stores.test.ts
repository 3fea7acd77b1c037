import { after } from 'node:test';
import { createStores } from '../../models/stores.ts';
import { startEmbeddedStore } from '../support/store.ts';
import { holdToStoreContract } from './stores.ts';

const store = await startEmbeddedStore();
after(() => store.stop());

holdToStoreContract('embedded store', async () => createStores(await store.connect()));
