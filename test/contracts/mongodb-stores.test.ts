import { after, test } from 'node:test';
import { createStores } from '../../models/stores.ts';
import { useStoreAt } from '../support/store.ts';
import { holdToStoreContract } from './stores.ts';

const uri = process.env['MONGODB_URI'];
if (uri) {
  const store = useStoreAt(uri);
  after(() => store.stop());
  holdToStoreContract('store at MONGODB_URI', async () => createStores(await store.connect()));
} else {
  test('the stores keep their contract at MONGODB_URI', { skip: 'MONGODB_URI is not set' }, () => undefined);
}
