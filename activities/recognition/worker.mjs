// A pool thread cannot load TypeScript by itself: the loader is registered first, then the work is imported.
import { register } from 'tsx/esm/api';

register();
const { work } = await import('./work.ts');
export default work;
