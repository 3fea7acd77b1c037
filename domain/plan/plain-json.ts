import type { Json } from '../units.ts';
import type { Say } from './finding.ts';

/** A plan of ours nests about 12 deep. */
const MAX_DEPTH = 40;
/** A plan of ours has about 500 values. */
const MAX_VALUES = 50_000;
const MAX_TEXT = 2_000;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Stands for what could not be copied; the reader has been told why. */
export const REFUSED: unique symbol = Symbol('refused');

/**
 * A copy of untrusted data that is certainly plain JSON: no cycle, no getter, no class, no infinity, and no member
 * whose name every object has anyway (`__proto__`, `constructor`), which a look-up by name would find.
 */
export function plainJson(value: unknown, say: Say): Json | typeof REFUSED {
  const ancestors = new Set<object>();
  let left = MAX_VALUES;
  let refused = false;
  const refuse = (code: string, place: string, message: string, remedy: string): null => {
    // One finding is enough: a hostile document could cause any number.
    if (!refused) say('mandatory', code, place, message, remedy);
    refused = true;
    return null;
  };

  const copy = (item: unknown, place: string, depth: number): Json => {
    left -= 1;
    if (refused) return null;
    if (left < 0) {
      const message = `The document has more than ${MAX_VALUES} values.`;
      return refuse('PLAN_TOO_LARGE', '', message, 'Split the plan by hazard.');
    }
    switch (typeof item) {
      case 'boolean':
        return item;
      case 'string':
        if (item.length <= MAX_TEXT && !LONE_SURROGATE.test(item)) return item;
        return refuse(
          'PLAN_TEXT_INVALID',
          place,
          `The text here is longer than ${MAX_TEXT} characters or no Unicode text.`,
          'Write a shorter text and store the rest in the basis file.',
        );
      case 'number':
        if (Number.isFinite(item)) return item;
        return refuse(
          'PLAN_NUMBER_NOT_FINITE',
          place,
          `${item} is no number to act on.`,
          'Give a finite number.',
        );
      case 'object':
        return item === null ? null : copyContainer(item, place, depth);
      default:
        return notJson(place, `A ${typeof item}`);
    }
  };

  const notJson = (place: string, what: string): null =>
    refuse(
      'PLAN_NOT_JSON',
      place,
      `${what} is not plain JSON.`,
      'Hand over what definePlan returns, as JSON.',
    );

  const copyContainer = (item: object, place: string, depth: number): Json => {
    if (ancestors.has(item)) return notJson(place, 'A value that contains itself');
    if (depth >= MAX_DEPTH) {
      const message = `The document nests deeper than ${MAX_DEPTH} levels.`;
      return refuse('PLAN_TOO_DEEP', '', message, 'Use fewer steps and conditions inside one another.');
    }
    ancestors.add(item);
    const copied = Array.isArray(item) ? copyArray(item, place, depth) : copyObject(item, place, depth);
    ancestors.delete(item);
    return copied;
  };

  const copyArray = (items: readonly unknown[], place: string, depth: number): Json => {
    if (items.length > MAX_VALUES) {
      const message = `A list here has ${items.length} entries.`;
      return refuse('PLAN_TOO_LARGE', '', message, 'Split the plan by hazard.');
    }
    return Array.from(items, (item, index) => copy(item, under(place, String(index)), depth + 1));
  };

  const copyObject = (item: object, place: string, depth: number): Json => {
    const prototype: unknown = Object.getPrototypeOf(item);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      return notJson(place, 'An instance of a class');
    }
    const copied: Record<string, Json> = {};
    for (const key of Object.keys(item)) {
      if (key in Object.prototype) {
        return refuse(
          'PLAN_NAME_FORBIDDEN',
          place,
          `The name "${key}" cannot be used: every object has it.`,
          'Choose another name.',
        );
      }
      const member = Object.getOwnPropertyDescriptor(item, key);
      if (member === undefined || !('value' in member)) return notJson(under(place, key), 'A getter');
      // As JSON.stringify does: an undefined member is an absent one.
      if (member.value !== undefined) copied[key] = copy(member.value, under(place, key), depth + 1);
    }
    return copied;
  };

  const copied = copy(value, '', 0);
  return refused ? REFUSED : copied;
}

/** Path of a member; the name is made harmless to show, because the sender chose it. */
export const under = (place: string, key: string): string => {
  const shown = (key.length > 60 ? `${key.slice(0, 60)}…` : key).replace(/[\p{Cc}\p{Cf}]/gu, '·');
  return place === '' ? shown : `${place}.${shown}`;
};
