/**
 * The linear assignment problem: give each row one column of its own so that the sum of costs is least. Rows are
 * demands, columns are units. Exact for any real costs and any shape.
 */
export interface AssignmentProblem {
  readonly rows: number;
  readonly columns: number;
  /** Row by row, `rows * columns` values. `Infinity` forbids a pair; no NaN, no `-Infinity`. */
  readonly costs: Float64Array;
}

export interface Assignment {
  /** Column of each row, -1 where none was left that the row may take. */
  readonly columnOf: Int32Array;
  /** Sum of the costs of the pairs made. */
  readonly total: number;
}

/** Passes of the price war before the exact search takes over, as Jonker and Volgenant choose. */
const REDUCTION_PASSES = 2;
/**
 * Steps of one pass, per free row. On real-valued costs two rows can underbid each other by the last bit of a
 * number for ever: 500 points on a plane took 140 times as long without this bound.
 */
const REDUCTION_STEPS_PER_ROW = 4;

/**
 * Solves by shortest augmenting paths with reduced costs (Jonker and Volgenant, Computing 38, 1987), the paths as
 * in Crouse, IEEE Trans. Aerosp. Electron. Syst. 52 (2016). O(n^3) at worst, on any costs.
 *
 * When not every row can have a column, as many rows as possible get one and of all ways to do so the cheapest is
 * taken.
 *
 * @throws RangeError when `costs` has another length, or holds NaN or `-Infinity`
 * @example
 * assign({ rows: 2, columns: 3, costs: Float64Array.of(4, 1, 3, 2, 0, 5) }).columnOf; // [1, 0]: 1 + 2
 */
export function assign(problem: AssignmentProblem): Assignment {
  refuseMalformed(problem);
  const { rows, columns } = problem;
  if (rows > columns) return transposed(problem);
  if (rows === 0) return { columnOf: new Int32Array(0), total: 0 };
  const columnOf = solve(problem) ?? solveWithGaps(problem);
  return { columnOf, total: totalOf(problem, columnOf) };
}

function refuseMalformed({ rows, columns, costs }: AssignmentProblem): void {
  if (costs.length !== rows * columns)
    throw new RangeError(`Expected ${rows} x ${columns} costs, got ${costs.length}`);
  for (let k = 0; k < costs.length; k++)
    if (!(costs[k]! > -Infinity))
      throw new RangeError(`Expected costs to be numbers or Infinity, got ${costs[k]} at ${k}`);
}

function transposed({ rows, columns, costs }: AssignmentProblem): Assignment {
  const turned = new Float64Array(costs.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) turned[j * rows + i] = costs[i * columns + j]!;
  const { columnOf: rowOf, total } = assign({ rows: columns, columns: rows, costs: turned });
  const columnOf = new Int32Array(rows).fill(-1);
  for (let j = 0; j < columns; j++) if (rowOf[j]! >= 0) columnOf[rowOf[j]!] = j;
  return { columnOf, total };
}

function totalOf({ columns, costs }: AssignmentProblem, columnOf: Int32Array): number {
  let total = 0;
  for (let i = 0; i < columnOf.length; i++)
    if (columnOf[i]! >= 0) total += costs[i * columns + columnOf[i]!]!;
  return total;
}

/**
 * Every row also gets a column of its own that means "none", dearer than any real choice could save: then every row
 * has a column, and the fewest have that one.
 */
function solveWithGaps({ rows, columns, costs }: AssignmentProblem): Int32Array {
  let least = Infinity;
  let most = -Infinity;
  for (let k = 0; k < costs.length; k++) {
    const cost = costs[k]!;
    if (cost === Infinity) continue;
    if (cost < least) least = cost;
    if (cost > most) most = cost;
  }
  if (most === -Infinity) return new Int32Array(rows).fill(-1);
  const width = columns + rows;
  const none = (most - least) * (rows + 1) + 1;
  const padded = new Float64Array(rows * width).fill(Infinity);
  for (let i = 0; i < rows; i++) {
    // Counted from the least cost, so that the price of "none" keeps as many digits as it can.
    for (let j = 0; j < columns; j++) padded[i * width + j] = costs[i * columns + j]! - least;
    padded[i * width + columns + i] = none;
  }
  const columnOf = solve({ rows, columns: width, costs: padded })!;
  return columnOf.map((j) => (j < columns ? j : -1));
}

/** `rows` <= `columns`; null when not every row can have a column. */
function solve({ rows, columns, costs }: AssignmentProblem): Int32Array | null {
  const columnOf = new Int32Array(rows).fill(-1);
  const rowOf = new Int32Array(columns).fill(-1);
  /** Price of each column, never positive on an unused one when there are more columns than rows. */
  const price = new Float64Array(columns);

  const free = rows === columns ? reduceColumns() : Int32Array.from({ length: rows }, (_, i) => i);
  let freeCount = free.length;
  for (let pass = 0; pass < REDUCTION_PASSES && freeCount > 0; pass++) freeCount = reduceRows(freeCount);
  return augment(freeCount) ? columnOf : null;

  /** Each column offers itself to the row that it costs least; answers the rows that got nothing. */
  function reduceColumns(): Int32Array {
    const offers = new Int32Array(rows);
    for (let j = columns - 1; j >= 0; j--) {
      let least = costs[j]!;
      let row = 0;
      for (let i = 1; i < rows; i++) {
        const cost = costs[i * columns + j]!;
        if (cost < least) {
          least = cost;
          row = i;
        }
      }
      // A column that nobody may use keeps price 0: infinite prices would make NaN.
      if (least === Infinity) continue;
      price[j] = least;
      if (offers[row]!++ === 0) {
        columnOf[row] = j;
        rowOf[j] = row;
      }
    }
    const rest = new Int32Array(rows);
    let count = 0;
    for (let i = 0; i < rows; i++) {
      if (offers[i] === 0) rest[count++] = i;
      else if (offers[i] === 1) transferReduction(i);
    }
    return rest.subarray(0, count);
  }

  /** A row with one offer lets its column cheapen by what the row would lose elsewhere. */
  function transferReduction(row: number): void {
    const own = columnOf[row]!;
    const base = row * columns;
    let least = Infinity;
    for (let j = 0; j < columns; j++) {
      if (j === own) continue;
      const reduced = costs[base + j]! - price[j]!;
      if (reduced < least) least = reduced;
    }
    if (least < Infinity) price[own] = price[own]! - least;
  }

  /** Free rows take their best column and lower its price to where it is worth no more than their second best. */
  function reduceRows(count: number): number {
    let steps = count * REDUCTION_STEPS_PER_ROW;
    let left = 0;
    let k = 0;
    while (k < count) {
      if (steps-- <= 0) {
        while (k < count) free[left++] = free[k++]!;
        break;
      }
      const row = free[k++]!;
      const base = row * columns;
      let first = Infinity;
      let second = Infinity;
      let best = -1;
      let next = -1;
      for (let j = 0; j < columns; j++) {
        const reduced = costs[base + j]! - price[j]!;
        if (reduced < second) {
          if (reduced < first) {
            second = first;
            next = best;
            first = reduced;
            best = j;
          } else {
            second = reduced;
            next = j;
          }
        }
      }
      if (best === -1) {
        free[left++] = row;
        continue;
      }
      let taken = best;
      let loser = rowOf[best]!;
      const lowered = second < Infinity ? price[best]! - (second - first) : price[best]!;
      const cheaper = lowered < price[best]!;
      if (cheaper) price[best] = lowered;
      else if (loser >= 0 && next >= 0 && second === first) {
        taken = next;
        loser = rowOf[next]!;
      }
      // An only choice is not bought out here: the exact search settles it.
      if (loser >= 0 && second === Infinity) {
        free[left++] = row;
        continue;
      }
      columnOf[row] = taken;
      rowOf[taken] = row;
      if (loser >= 0) {
        columnOf[loser] = -1;
        if (cheaper) free[--k] = loser;
        else free[left++] = loser;
      }
    }
    return left;
  }

  /** Gives each free row a column along the cheapest chain of moves; false when a row has none. */
  function augment(count: number): boolean {
    const distance = new Float64Array(columns);
    const from = new Int32Array(columns);
    /** Columns: those before `low` are done, those before `up` are next and equally near, the rest is open. */
    const order = Int32Array.from({ length: columns }, (_, j) => j);
    for (let k = 0; k < count; k++) {
      const start = free[k]!;
      distance.fill(Infinity);
      let low = 0;
      let up = 0;
      let row = start;
      let reached = -Infinity;
      let offset = 0;
      let sink = -1;
      for (;;) {
        const base = row * columns;
        let least = Infinity;
        let at = -1;
        let equals = 0;
        for (let o = up; o < columns; o++) {
          const j = order[o]!;
          const along = costs[base + j]! - price[j]! + offset;
          let known = distance[j]!;
          if (along < known) {
            distance[j] = known = along;
            from[j] = row;
            if (along <= reached) {
              // As near as can be: a free one ends the search, any other is next.
              if (rowOf[j] === -1) {
                sink = j;
                break;
              }
              if (at === up) at = o;
              order[o] = order[up]!;
              order[up++] = j;
              continue;
            }
          }
          if (known < least) {
            least = known;
            at = o;
            equals = 1;
          } else if (known === least) {
            equals++;
          }
        }
        if (sink === -1 && low === up) {
          if (at === -1) return false;
          reached = least;
          const last = equals === 1 ? at + 1 : columns;
          for (let o = at; o < last; o++) {
            const j = order[o]!;
            if (distance[j] !== least) continue;
            if (rowOf[j] === -1) {
              sink = j;
              break;
            }
            order[o] = order[up]!;
            order[up++] = j;
          }
        }
        if (sink !== -1) break;
        const j = order[low++]!;
        row = rowOf[j]!;
        offset = reached - (costs[row * columns + j]! - price[j]!);
      }
      for (let o = 0; o < low; o++) {
        const j = order[o]!;
        price[j] = price[j]! + distance[j]! - reached;
      }
      for (let j = sink; ;) {
        row = from[j]!;
        rowOf[j] = row;
        const freed = columnOf[row]!;
        columnOf[row] = j;
        if (row === start) break;
        j = freed;
      }
    }
    return true;
  }
}
