import { z } from 'zod';
import { TocsinError } from '../../domain/errors.ts';

/** Query members of every paged list. */
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(1_000).optional(),
});

/**
 * One page of a sorted list. The cursor holds the sort key of the last item sent, so that items which appear
 * meanwhile neither repeat nor hide others.
 *
 * @param keyOf unique and in the order of `items`, greatest first
 * @throws TocsinError CURSOR_INVALID
 */
export function pageOfItems<T>(
  items: readonly T[],
  keyOf: (item: T) => readonly [number, string],
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): { items: T[]; nextCursor: string | null } {
  const after = cursor === undefined ? null : decode(cursor);
  const rest = after === null ? items : items.filter((item) => comesAfter(keyOf(item), after));
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  const more = rest.length > page.length && last !== undefined;
  return { items: page, nextCursor: more ? encode(keyOf(last)) : null };
}

const comesAfter = (key: readonly [number, string], after: readonly [number, string]): boolean =>
  key[0] < after[0] || (key[0] === after[0] && key[1] < after[1]);

const encode = (key: readonly [number, string]): string =>
  Buffer.from(JSON.stringify(key), 'utf8').toString('base64url');

const Cursor = z.tuple([z.number(), z.string()]);

function decode(cursor: string): readonly [number, string] {
  try {
    return Cursor.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch (cause) {
    throw new TocsinError('CURSOR_INVALID', 'The cursor is not one of this list.', { cause });
  }
}
