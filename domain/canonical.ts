import { TocsinError } from './errors.ts';

/** Nesting beyond this is refused: no document of ours comes near it, and a deep one would exhaust the stack. */
const MAX_DEPTH = 200;

/**
 * The one spelling of a JSON value (RFC 8785, JSON Canonicalization Scheme): no white space, members ordered by
 * UTF-16 code units, numbers and strings as ECMAScript serialises them. Equal values give equal text, so its
 * SHA-256 names a document.
 *
 * Members that are `undefined` are left out, as `JSON.stringify` does; everything else that JSON cannot carry is
 * refused and not quietly changed.
 *
 * @throws TocsinError NOT_JSON for NaN, an infinity, a lone surrogate, a function, a class instance, a cycle
 * @example
 * canonicalJson({ b: 1.0, a: ['é'] }); // '{"a":["é"],"b":1}'
 */
export function canonicalJson(value: unknown): string {
  return write(value, '', 0);
}

function write(value: unknown, place: string, depth: number): string {
  if (depth > MAX_DEPTH) throw refused(place, `nesting beyond ${MAX_DEPTH} levels, or a cycle`);
  switch (typeof value) {
    case 'string':
      return writeString(value, place);
    case 'number':
      if (!Number.isFinite(value)) throw refused(place, String(value));
      return JSON.stringify(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? writeArray(value, place, depth) : writeObject(value, place, depth);
    default:
      throw refused(place, `a value of type ${typeof value}`);
  }
}

function writeArray(items: readonly unknown[], place: string, depth: number): string {
  // Not `map`: it would skip the holes of a sparse array.
  return `[${Array.from(items, (item, i) => write(item, `${place}.${i}`, depth + 1)).join(',')}]`;
}

function writeObject(value: object, place: string, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  // A plain object of another realm (the workflow sandbox) has a prototype without a prototype.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    throw refused(place, 'an instance of a class');
  const members: string[] = [];
  for (const name of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[name];
    if (member === undefined) continue;
    const inner = `${place}.${name}`;
    members.push(`${writeString(name, inner)}:${write(member, inner, depth + 1)}`);
  }
  return `{${members.join(',')}}`;
}

const LONE_SURROGATE = /\p{Surrogate}/u;

function writeString(text: string, place: string): string {
  if (LONE_SURROGATE.test(text)) throw refused(place, 'a lone surrogate');
  return JSON.stringify(text);
}

function refused(place: string, what: string): TocsinError {
  const where = place === '' ? 'the value itself' : place.slice(1);
  return new TocsinError('NOT_JSON', `JSON cannot carry ${what} (at ${where}).`, {
    details: { place: where },
  });
}
