/** Rows of numbers, row-major: value of row r, column c is `values[r * columns + c]`. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

/** Copies equally long rows into one block. */
export function matrixOf(rows: readonly ArrayLike<number>[], columns = rows[0]?.length ?? 0): Matrix {
  const values = new Float64Array(rows.length * columns);
  for (const [r, row] of rows.entries()) values.set(row, r * columns);
  return { rows: rows.length, columns, values };
}

/** The chosen rows, in the order given; a row may repeat. */
export function rowsOf(matrix: Matrix, indices: ArrayLike<number>): Matrix {
  const { columns } = matrix;
  const values = new Float64Array(indices.length * columns);
  for (let i = 0; i < indices.length; i++) {
    values.set(rowOf(matrix, indices[i]!), i * columns);
  }
  return { rows: indices.length, columns, values };
}

/** A view, not a copy. */
export function rowOf(matrix: Matrix, row: number): Float64Array {
  return matrix.values.subarray(row * matrix.columns, (row + 1) * matrix.columns);
}

/** Index of the largest value; the first one when several are equal. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}
