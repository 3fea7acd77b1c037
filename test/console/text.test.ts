import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const CONSOLE = join(import.meta.dirname, '../../console');

/** The dictionaries, read from the module's source: importing it needs a browser. */
function dictionaries(): Record<string, Record<string, string>> {
  const source = readFileSync(join(CONSOLE, 'text.js'), 'utf8');
  const literal = /export const TEXT = (\{[\s\S]*?\n\});/.exec(source)?.[1] ?? '{}';
  return new Function(`return ${literal}`)() as Record<string, Record<string, string>>;
}

const scripts = (): string[] =>
  readdirSync(CONSOLE)
    .filter((name) => name.endsWith('.js'))
    .map((name) => readFileSync(join(CONSOLE, name), 'utf8'));

describe('what the console says', () => {
  const { en = {}, zh = {} } = dictionaries();

  it('is said in both languages, with the same blanks', () => {
    assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
    const blanks = (text = ''): string[] => [...text.matchAll(/\{\w+\}/g)].map(([blank]) => blank).sort();
    for (const key of Object.keys(en)) assert.deepEqual(blanks(zh[key]), blanks(en[key]), key);
    assert.ok(Object.keys(en).length > 100);
  });

  it('has a Chinese sentence wherever the English has one', () => {
    const same = Object.keys(en).filter((key) => en[key] === zh[key]);
    assert.deepEqual(same, ['more']);
  });

  it('covers every key that the scripts ask for', () => {
    const asked = scripts().flatMap((source) =>
      [...source.matchAll(/\bt\(\s*'(\w+)'/g)].map(([, key = '']) => key),
    );
    assert.ok(asked.length > 50);
    for (const key of asked) assert.ok(key in en, key);
  });

  it('never reaches the page as markup', () => {
    for (const source of scripts()) {
      assert.doesNotMatch(
        source,
        /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/,
      );
    }
  });
});
