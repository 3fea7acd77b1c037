import { TocsinError } from '../errors.ts';
import type { Bulletin } from '../evidence.ts';
import type { EpochMs, Text } from '../units.ts';
import { RECOGNISER_INPUT_INVALID } from './codes.ts';
import type { FeatureSpec, Row } from './features.ts';

/** What a seismic network's notice says of one event. Instrument fields are null when the network gives none. */
export interface Notice {
  readonly magnitude: number | null;
  /** Scale of the magnitude as the network writes it: `ml`, `md`, `mb`, `mww`. */
  readonly magnitudeType: string | null;
  /** Below sea level; negative for events located in a hill above it. */
  readonly depthKm: number | null;
  /** Largest angle between neighbouring stations as seen from the epicentre, 0..360. */
  readonly gapDeg: number | null;
  /** Distance to the nearest station. */
  readonly dminDeg: number | null;
  /** Root mean square of the travel-time residuals. */
  readonly rmsS: number | null;
  /** Number of stations used. */
  readonly stations: number | null;
  readonly latitudeDeg: number;
  readonly longitudeDeg: number;
  readonly observedAtMs: EpochMs;
  /** Offset of local time from UTC; null: taken from the longitude, 4 minutes a degree. */
  readonly utcOffsetMinutes: number | null;
}

export const NOTICE_CLASSES = ['earthquake', 'explosion', 'quarry-blast'] as const;
export type NoticeClass = (typeof NOTICE_CLASSES)[number];

/** Classes whose recall must not fall when a version takes another's place: people may be hurt. */
export const SEVERE_NOTICE_CLASSES: readonly NoticeClass[] = ['earthquake', 'explosion'];

export const NOTICE_CLASS_TEXTS: Readonly<Record<NoticeClass, Text>> = {
  earthquake: { en: 'Earthquake', zh: '地震' },
  explosion: { en: 'Explosion', zh: '爆炸' },
  'quarry-blast': { en: 'Quarry blast', zh: '采石爆破' },
};

/**
 * Magnitude scales that get a column of their own. The moment and body-wave scales (`mww`, `mwr`, `mw`, `mb`,
 * `mb_lg`) are one family each: a week has too few of every variant to learn from.
 */
const MAGNITUDE_FAMILIES = ['ml', 'md', 'mb', 'mw'] as const;

export const NOTICE_FEATURES: readonly FeatureSpec[] = [
  { name: 'depthKm', transform: 'quantile', unit: 'km', kind: 'number', label: { en: 'depth', zh: '深度' } },
  { name: 'magnitude', unit: '', kind: 'number', label: { en: 'magnitude', zh: '震级' } },
  {
    name: 'magnitudeType',
    unit: '',
    kind: 'category',
    categories: MAGNITUDE_FAMILIES,
    label: { en: 'magnitude scale', zh: '震级类型' },
  },
  {
    name: 'gapDeg',
    transform: 'quantile',
    unit: '°',
    kind: 'number',
    label: { en: 'azimuthal gap', zh: '台站最大空隙角' },
  },
  {
    name: 'dminDeg',
    transform: 'quantile',
    unit: '°',
    kind: 'number',
    label: { en: 'nearest station at', zh: '最近台站距离' },
  },
  {
    name: 'rmsS',
    transform: 'quantile',
    unit: 's',
    kind: 'number',
    label: { en: 'travel-time residual', zh: '走时残差' },
  },
  {
    name: 'stations',
    transform: 'quantile',
    unit: '',
    kind: 'number',
    label: { en: 'station count', zh: '台站数' },
  },
  { name: 'localHour', unit: 'h', kind: 'cycle', period: 24, label: { en: 'local time', zh: '当地时刻' } },
  {
    name: 'latitudeDeg',
    transform: 'quantile',
    unit: '°',
    kind: 'number',
    label: { en: 'latitude', zh: '纬度' },
  },
  {
    name: 'longitudeDeg',
    transform: 'quantile',
    unit: '°',
    kind: 'number',
    label: { en: 'longitude', zh: '经度' },
  },
];

const MS_PER_HOUR = 3_600_000;

/** The features of a notice, as training and voting both see them. */
export function noticeRow(notice: Notice): Row {
  const offsetMinutes = notice.utcOffsetMinutes ?? notice.longitudeDeg * 4;
  const localMs = notice.observedAtMs + offsetMinutes * 60_000;
  const hour = (localMs / MS_PER_HOUR) % 24;
  return {
    depthKm: notice.depthKm,
    magnitude: notice.magnitude,
    magnitudeType: notice.magnitudeType === null ? null : magnitudeFamily(notice.magnitudeType),
    gapDeg: notice.gapDeg,
    dminDeg: notice.dminDeg,
    rmsS: notice.rmsS,
    stations: notice.stations,
    localHour: hour < 0 ? hour + 24 : hour,
    latitudeDeg: notice.latitudeDeg,
    longitudeDeg: notice.longitudeDeg,
  };
}

function magnitudeFamily(type: string): string {
  const lower = type.toLowerCase();
  if (lower.startsWith('mw')) return 'mw';
  if (lower.startsWith('mb')) return 'mb';
  return lower;
}

/** The features of the notice in a bulletin; refuses what `readNotice` refuses. */
export function noticeOf(bulletin: Bulletin): Row {
  return noticeRow(readNotice(bulletin));
}

/**
 * The notice in a bulletin. Fields are read by the names of `Notice`; one that is absent counts as not measured.
 * Refuses a bulletin without a position, and text where a number belongs, with RECOGNISER_INPUT_INVALID.
 */
export function readNotice({ id, position, observedAtMs, fields }: Bulletin): Notice {
  if (position === null) {
    throw new TocsinError(RECOGNISER_INPUT_INVALID, `Bulletin ${id} has no position to recognise it by.`, {
      details: { id },
    });
  }
  const numberOf = (name: string): number | null => {
    const value = fields[name] ?? null;
    if (value === null || (typeof value === 'number' && Number.isFinite(value))) return value;
    throw new TocsinError(RECOGNISER_INPUT_INVALID, `Bulletin ${id}: field ${name} is not a number.`, {
      details: { id, field: name },
    });
  };
  const type = fields['magnitudeType'] ?? null;
  return {
    magnitude: numberOf('magnitude'),
    magnitudeType: type === null ? null : String(type),
    depthKm: numberOf('depthKm'),
    gapDeg: numberOf('gapDeg'),
    dminDeg: numberOf('dminDeg'),
    rmsS: numberOf('rmsS'),
    stations: numberOf('stations'),
    latitudeDeg: position.latitudeDeg,
    longitudeDeg: position.longitudeDeg,
    observedAtMs,
    utcOffsetMinutes: numberOf('utcOffsetMinutes'),
  };
}
