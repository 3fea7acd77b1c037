import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { conversionOf } from '../../../domain/ingest/units.ts';

const convert = (value: number, from: string, to: string, channel = 'x'): number | null => {
  const conversion = conversionOf(from, to, channel);
  return conversion === null ? null : value * conversion.scale + conversion.offset;
};

describe('the conversion of units', () => {
  const table: readonly [value: number, from: string, to: string, wanted: number, channel?: string][] = [
    [0, '°C', 'K', 273.15],
    [212, '°F', '°C', 100],
    [-40, '°C', '°F', -40],
    [300, 'K', 'degC', 26.85],
    [36, 'km/h', 'm/s', 10],
    [1, 'kn', 'km/h', 1.852],
    [1_013.25, 'mbar', 'hPa', 1_013.25],
    [1, 'bar', 'kPa', 100],
    [1, 'g', 'm/s²', 9.80665],
    [980.665, 'gal', 'g', 1],
    [60, 'L/min', 'm³/h', 3.6],
    [5, 'mSv/h', 'uSv/h', 5_000],
    [10_000, 'ppm', 'vol%', 1],
    // IEC 60079-20-1: 4.4 % methane in air is the whole limit.
    [44_000, 'ppm', '%LEL', 100, 'methane'],
    [25, '%LEL', 'ppm', 11_000, 'methane'],
    [50, '%LEL', 'vol%', 2, 'hydrogen'],
    [7, 'whatever', 'whatever', 7],
  ];
  for (const [value, from, to, wanted, channel] of table) {
    it(`carries ${value} ${from} to ${wanted} ${to}`, () => {
      const found = convert(value, from, to, channel)!;
      assert.ok(Math.abs(found - wanted) <= 1e-9 * Math.max(1, Math.abs(wanted)), `${found}`);
      const back = convert(found, to, from, channel)!;
      assert.ok(Math.abs(back - value) <= 1e-9 * Math.max(1, Math.abs(value)), `back ${back}`);
    });
  }

  it('refuses what measures something else, and what nobody knows', () => {
    for (const [from, to, channel] of [
      ['K', 'Pa', 'x'],
      ['bananas', '°C', 'x'],
      ['ppm', '%LEL', 'a-gas-nobody-listed'],
      ['°C', '%LEL', 'methane'],
      ['', 'K', 'x'],
      ['constructor', 'toString', 'x'],
    ] as const) {
      assert.equal(conversionOf(from, to, channel), null, `${from} to ${to}`);
    }
  });
});
