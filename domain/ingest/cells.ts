/** Cells `first` to `first + count - 1` as plain numbers. Spreading a typed array takes many times longer. */
export function numbersIn(cells: Float64Array, first: number, count: number): number[] {
  const numbers: number[] = [];
  for (let n = first; n < first + count; n++) numbers.push(cells[n]!);
  return numbers;
}
