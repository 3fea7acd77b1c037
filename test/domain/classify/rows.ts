import type { FeatureSpec, Row } from '../../../domain/classify/features.ts';
import type { Matrix } from '../../../domain/classify/matrix.ts';
import { createRandom } from '../../../domain/random.ts';

/** Points around one centre a class, `columns` numbers each; classes take turns. */
export function clusters(options: {
  rows: number;
  columns: number;
  classes: number;
  seed: number;
  noise?: number;
}): {
  x: Matrix;
  y: Uint8Array;
} {
  const { rows, columns, classes, seed, noise = 1 } = options;
  const random = createRandom(seed);
  const centres = Array.from({ length: classes * columns }, () => 3 * random.normal());
  const values = new Float64Array(rows * columns);
  const y = new Uint8Array(rows);
  for (let r = 0; r < rows; r++) {
    y[r] = r % classes;
    for (let c = 0; c < columns; c++)
      values[r * columns + c] = centres[y[r]! * columns + c]! + noise * random.normal();
  }
  return { x: { rows, columns, values }, y };
}

export const GAS_FEATURES: readonly FeatureSpec[] = [
  { name: 'methane', unit: '%LEL', kind: 'number', label: { en: 'methane', zh: '甲烷' } },
  { name: 'wind', unit: 'm/s', kind: 'number', label: { en: 'wind', zh: '风速' } },
  {
    name: 'sensor',
    unit: '',
    kind: 'category',
    categories: ['catalytic', 'infrared'],
    label: { en: 'sensor', zh: '传感器' },
  },
  { name: 'hour', unit: 'h', kind: 'cycle', period: 24, label: { en: 'hour', zh: '时刻' } },
];

/** Leaks have much methane, welding some methane and an infrared sensor, neither otherwise; some winds are missing. */
export function gasRows(count: number, seed: number): { rows: Row[]; labels: string[] } {
  const random = createRandom(seed);
  const rows: Row[] = [];
  const labels: string[] = [];
  for (let i = 0; i < count; i++) {
    const label = i % 10 === 0 ? 'leak' : i % 5 === 1 ? 'welding' : 'quiet';
    labels.push(label);
    rows.push({
      methane: Math.max(0, (label === 'leak' ? 25 : label === 'welding' ? 9 : 3) + 4 * random.normal()),
      wind: random.unit() < 0.2 ? null : 3 + random.normal(),
      sensor: label === 'welding' || random.unit() < 0.3 ? 'infrared' : 'catalytic',
      hour: label === 'welding' ? 8 + 8 * random.unit() : 24 * random.unit(),
    });
  }
  return { rows, labels };
}

export const GAS_CLASSES = ['quiet', 'leak', 'welding'];
