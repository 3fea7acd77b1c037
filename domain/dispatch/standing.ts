/**
 * An assignment that stays optimal while demands come and go: one more row, or one less, costs one shortest path
 * over the prices that are there already, not a new solution. For exchanges that must answer within microseconds;
 * a batch is better given to `assign`.
 */
export interface StandingAssignment {
  /**
   * Adds a demand; others may move to make room.
   *
   * @param costs one per column, `Infinity` forbids
   * @returns the row's handle, or null when no column can be had for it: then nothing has changed
   * @throws RangeError when `costs` has another length, or holds NaN or `-Infinity`
   */
  add(costs: Float64Array): number | null;
  /** Takes a demand away; others may move to the column that it leaves. Unknown handles are ignored. */
  remove(handle: number): void;
  /** Column of a row; undefined for a handle that is not there. */
  columnOf(handle: number): number | undefined;
  /** Sum of the costs of all pairs. */
  total(): number;
  readonly size: number;
}

interface StandingRow {
  readonly handle: number;
  readonly costs: Float64Array;
  column: number;
  /** What the row pays: its cost less the price of its column. */
  pays: number;
}

export function createStandingAssignment(columns: number): StandingAssignment {
  const rows = new Map<number, StandingRow>();
  const holder = new Array<StandingRow | null>(columns).fill(null);
  /** Never positive, and zero while nobody holds the column: the condition that makes the whole optimal. */
  const price = new Float64Array(columns);
  const distance = new Float64Array(columns);
  const from = new Array<StandingRow | null>(columns).fill(null);
  const pending = new Int32Array(columns);
  const settled = new Int32Array(columns);
  let nextHandle = 0;

  function give(column: number, row: StandingRow): void {
    holder[column] = row;
    row.column = column;
  }

  /** The cheapest chain of moves that ends at a free column. */
  function insert(start: StandingRow): boolean {
    distance.fill(Infinity);
    for (let j = 0; j < columns; j++) pending[j] = j;
    let pendingCount = columns;
    let settledCount = 0;
    let row = start;
    let offset = 0;
    let reached = 0;
    let sink = -1;
    while (sink === -1) {
      const { costs } = row;
      let least = Infinity;
      let at = -1;
      for (let p = 0; p < pendingCount; p++) {
        const j = pending[p]!;
        const along = costs[j]! - price[j]! + offset;
        let known = distance[j]!;
        if (along < known) {
          distance[j] = known = along;
          from[j] = row;
        }
        if (known < least || (known === least && known < Infinity && holder[j] === null)) {
          least = known;
          at = p;
        }
      }
      if (at === -1) return false;
      reached = least;
      const j = pending[at]!;
      const holding = holder[j];
      if (holding === null || holding === undefined) {
        sink = j;
      } else {
        pending[at] = pending[--pendingCount]!;
        settled[settledCount++] = j;
        row = holding;
        offset = reached - row.pays;
      }
    }
    start.pays = reached;
    for (let s = 0; s < settledCount; s++) {
      const j = settled[s]!;
      const change = reached - distance[j]!;
      price[j] = price[j]! - change;
      const holding = holder[j]!;
      holding.pays += change;
    }
    for (let j = sink; ;) {
      const mover = from[j]!;
      const freed = mover.column;
      give(j, mover);
      if (mover === start) return true;
      j = freed;
    }
  }

  /** Fills the column that was left, as long as a chain of moves into it saves anything. */
  function refill(left: number): void {
    let best = -price[left]!;
    let freed = left;
    const open = [...rows.values()];
    const reach = new Float64Array(open.length).fill(Infinity);
    const via = new Int32Array(open.length);
    const settledRows: { row: StandingRow; at: number; via: number }[] = [];
    let column = left;
    let base = 0;
    let count = open.length;
    while (base < best) {
      let least = Infinity;
      let at = -1;
      for (let k = 0; k < count; k++) {
        const row = open[k]!;
        const along = base + row.costs[column]! - row.pays - price[column]!;
        if (along < reach[k]!) {
          reach[k] = along;
          via[k] = column;
        }
        if (reach[k]! < least) {
          least = reach[k]!;
          at = k;
        }
      }
      if (at === -1 || least >= best) break;
      const row = open[at]!;
      settledRows.push({ row, at: least, via: via[at]! });
      count--;
      open[at] = open[count]!;
      reach[at] = reach[count]!;
      via[at] = via[count]!;
      base = least;
      column = row.column;
      if (least - price[column]! < best) {
        best = least - price[column]!;
        freed = column;
      }
    }
    price[left] = price[left]! + best;
    for (const { row, at } of settledRows) {
      if (at >= best) continue;
      price[row.column] = price[row.column]! + (best - at);
      row.pays -= best - at;
    }
    const enteredBy = new Map(settledRows.map((step) => [step.row.column, step]));
    for (let j = freed; j !== left;) {
      const step = enteredBy.get(j)!;
      give(step.via, step.row);
      j = step.via;
    }
    holder[freed] = null;
    price[freed] = 0;
  }

  return {
    add(costs) {
      if (costs.length !== columns) throw new RangeError(`Expected ${columns} costs, got ${costs.length}`);
      for (const cost of costs)
        if (!(cost > -Infinity)) throw new RangeError(`Expected numbers or Infinity, got ${cost}`);
      const row: StandingRow = { handle: nextHandle, costs, column: -1, pays: 0 };
      if (!insert(row)) return null;
      rows.set(row.handle, row);
      return nextHandle++;
    },
    remove(handle) {
      const row = rows.get(handle);
      if (row === undefined) return;
      rows.delete(handle);
      holder[row.column] = null;
      refill(row.column);
    },
    columnOf: (handle) => rows.get(handle)?.column,
    total() {
      let sum = 0;
      for (const row of rows.values()) sum += row.costs[row.column]!;
      return sum;
    },
    get size() {
      return rows.size;
    },
  };
}
