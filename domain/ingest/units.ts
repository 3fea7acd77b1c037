/** `value in the wanted unit = value * scale + offset`. */
export interface Conversion {
  readonly scale: number;
  readonly offset: number;
}

const SAME: Conversion = { scale: 1, offset: 0 };

/**
 * Quantities with their units, each as a multiple of the first (and an offset, for temperatures). Factors are
 * those of the SI Brochure, 9th edition (2019), and of its tables of accepted non-SI units.
 */
const QUANTITIES: readonly Readonly<Record<string, number | readonly [scale: number, offset: number]>>[] = [
  { K: 1, '°C': [1, 273.15], '°F': [5 / 9, 273.15 - 160 / 9] },
  { Pa: 1, hPa: 100, mbar: 100, kPa: 1_000, MPa: 1e6, bar: 1e5, psi: 6_894.757293168 },
  { 'm/s': 1, 'cm/s': 0.01, 'mm/s': 0.001, 'km/h': 1 / 3.6, kn: 1_852 / 3_600 },
  { 'm/s²': 1, Gal: 0.01, g: 9.80665, mg: 0.00980665 },
  { m: 1, km: 1_000, cm: 0.01, mm: 0.001, µm: 1e-6 },
  { 'm³/s': 1, 'L/s': 0.001, 'L/min': 0.001 / 60, 'm³/h': 1 / 3_600 },
  { 'kg/m³': 1, 'g/m³': 1e-3, 'mg/m³': 1e-6, 'µg/m³': 1e-9 },
  { s: 1, ms: 0.001, min: 60, h: 3_600 },
  { 'Sv/h': 1, 'mSv/h': 1e-3, 'µSv/h': 1e-6 },
  { V: 1, mV: 0.001, kV: 1_000 },
  { A: 1, mA: 0.001 },
  { W: 1, kW: 1_000 },
  { Hz: 1, kHz: 1_000, rpm: 1 / 60 },
  { 'vol%': 1, ppm: 1e-4, ppb: 1e-7 },
];

/** Other spellings of the same unit. */
const SPELLINGS: Readonly<Record<string, string>> = {
  degC: '°C',
  Cel: '°C',
  C: '°C',
  degF: '°F',
  F: '°F',
  'm/s2': 'm/s²',
  'm/s^2': 'm/s²',
  gal: 'Gal',
  'cm/s²': 'Gal',
  'cm/s2': 'Gal',
  'm3/s': 'm³/s',
  'm3/h': 'm³/h',
  'l/s': 'L/s',
  'l/min': 'L/min',
  'kg/m3': 'kg/m³',
  'g/m3': 'g/m³',
  'mg/m3': 'mg/m³',
  'ug/m3': 'µg/m³',
  'μg/m³': 'µg/m³',
  'uSv/h': 'µSv/h',
  'μSv/h': 'µSv/h',
  um: 'µm',
  knot: 'kn',
  '%vol': 'vol%',
  'Vol%': 'vol%',
  LEL: '%LEL',
  '% LEL': '%LEL',
};

/**
 * Lower explosive limit in percent by volume, by channel: IEC 60079-20-1:2010, annex B. Older tables give methane
 * 5.0; with the lower figure the same concentration is a larger share of the limit, so the alarm comes earlier.
 */
const LOWER_EXPLOSIVE_LIMIT: Readonly<Record<string, number>> = {
  methane: 4.4,
  propane: 1.7,
  butane: 1.4,
  hydrogen: 4.0,
};

/**
 * How a value of a channel is carried from one unit to another; null when the two measure different things, or
 * one of them is unknown. The same unit always converts to itself.
 *
 * @param channel decides what a share of an explosive limit is a share of
 */
export function conversionOf(from: string, to: string, channel: string): Conversion | null {
  const [a, b] = [SPELLINGS[from] ?? from, SPELLINGS[to] ?? to];
  if (a === b) return SAME;
  const limit = LOWER_EXPLOSIVE_LIMIT[channel];
  if (limit !== undefined && (a === '%LEL') !== (b === '%LEL')) {
    const concentration = conversionOf(a === '%LEL' ? 'vol%' : a, b === '%LEL' ? 'vol%' : b, channel);
    if (concentration === null) return null;
    const factor = a === '%LEL' ? limit / 100 : 100 / limit;
    return { scale: concentration.scale * factor, offset: 0 };
  }
  for (const units of QUANTITIES) {
    const [one, other] = [units[a], units[b]];
    if (one === undefined || other === undefined) continue;
    const [scaleFrom, offsetFrom] = typeof one === 'number' ? [one, 0] : one;
    const [scaleTo, offsetTo] = typeof other === 'number' ? [other, 0] : other;
    return { scale: scaleFrom / scaleTo, offset: (offsetFrom - offsetTo) / scaleTo };
  }
  return null;
}
