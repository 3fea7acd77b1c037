import assert from 'node:assert/strict';
import { TocsinError } from '../../../domain/errors.ts';

/** Checks that a table was refused at this place, in its details and in its words. */
export function malformedAt(line: number, column: string | number | null = null): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof TocsinError, String(error));
    assert.equal(error.code, 'TABLE_MALFORMED');
    assert.equal(error.details['line'], line);
    assert.equal(error.details['column'], column);
    assert.match(error.message, new RegExp(`line ${line}\\b`));
    return true;
  };
}
