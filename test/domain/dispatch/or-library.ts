import fs from 'node:fs';
import path from 'node:path';
import type { AssignmentProblem } from '../../../domain/dispatch/assignment.ts';

const DIRECTORY = path.resolve(import.meta.dirname, '../../../../shared/data/orlib');

/** An assignment instance of Beasley's OR-Library; null where the data is not there. */
export function readOrLibrary(file: string): AssignmentProblem | null {
  const name = path.join(DIRECTORY, file);
  if (!fs.existsSync(name)) return null;
  const [n = 0, ...costs] = fs.readFileSync(name, 'utf8').trim().split(/\s+/).map(Number);
  return { rows: n, columns: n, costs: Float64Array.from(costs) };
}
