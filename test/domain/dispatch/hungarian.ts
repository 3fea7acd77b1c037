import type { AssignmentProblem } from '../../../domain/dispatch/assignment.ts';

/**
 * The Hungarian method with potentials, in the plain textbook form: the reference that the fast solver must agree
 * with. Every row gets a column: `rows` <= `columns`, no forbidden pairs.
 */
export function hungarian({ rows, columns, costs }: AssignmentProblem): number {
  const cost = (i: number, j: number): number => costs[(i - 1) * columns + (j - 1)]!;
  const u = new Array<number>(rows + 1).fill(0);
  const v = new Array<number>(columns + 1).fill(0);
  const rowOf = new Array<number>(columns + 1).fill(0);
  for (let i = 1; i <= rows; i++) {
    const way = new Array<number>(columns + 1).fill(0);
    const slack = new Array<number>(columns + 1).fill(Infinity);
    const used = new Array<boolean>(columns + 1).fill(false);
    rowOf[0] = i;
    let current = 0;
    do {
      used[current] = true;
      const row = rowOf[current]!;
      let delta = Infinity;
      let next = 0;
      for (let j = 1; j <= columns; j++) {
        if (used[j]) continue;
        const reduced = cost(row, j) - u[row]! - v[j]!;
        if (reduced < slack[j]!) {
          slack[j] = reduced;
          way[j] = current;
        }
        if (slack[j]! < delta) {
          delta = slack[j]!;
          next = j;
        }
      }
      for (let j = 0; j <= columns; j++) {
        if (used[j]) {
          u[rowOf[j]!] = u[rowOf[j]!]! + delta;
          v[j] = v[j]! - delta;
        } else {
          slack[j] = slack[j]! - delta;
        }
      }
      current = next;
    } while (rowOf[current] !== 0);
    while (current !== 0) {
      const before = way[current]!;
      rowOf[current] = rowOf[before]!;
      current = before;
    }
  }
  let total = 0;
  for (let j = 1; j <= columns; j++) if (rowOf[j] !== 0) total += cost(rowOf[j]!, j);
  return total;
}
