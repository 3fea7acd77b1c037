import type { Place } from '../domain/evidence.ts';
import type { Sensor } from '../domain/ports.ts';

/** `[id, English name, Chinese name, latitude, longitude, district, population about 2020]` */
type Town = readonly [string, string, string, number, number, string, number];

/**
 * Towns near which the recorded week (2018-01-31 to 02-07) has earthquakes, quarry blasts or explosions. Positions
 * and populations are those of public gazetteers, rounded. The districts' units are invented (see the roster).
 */
const TOWNS: readonly Town[] = [
  ['hualien', 'Hualien', '花莲', 23.976, 121.604, 'hualien-county', 100_000],
  ['lae', 'Lae', '莱城', -6.733, 146.999, 'morobe-province', 100_000],
  ['jarm', 'Jarm', '贾尔姆', 36.864, 70.834, 'badakhshan-province', 0],
  ['pedasi', 'Pedasí', '佩达西', 7.53, -80.03, 'los-santos-province', 2_400],
  ['butte', 'Butte, Montana', '蒙大拿州比尤特', 46.004, -112.535, 'silver-bow-county', 34_000],
  ['three-forks', 'Three Forks, Montana', '蒙大拿州三岔市', 45.893, -111.552, 'gallatin-county', 2_000],
  ['boron', 'Boron, California', '加利福尼亚州博龙', 34.999, -117.65, 'kern-county', 2_000],
  ['tehachapi', 'Tehachapi, California', '加利福尼亚州蒂哈查皮', 35.132, -118.449, 'kern-county', 13_000],
  ['corona', 'Corona, California', '加利福尼亚州科罗纳', 33.875, -117.566, 'riverside-county', 157_000],
  ['aguanga', 'Aguanga, California', '加利福尼亚州阿关加', 33.443, -116.865, 'riverside-county', 1_000],
  ['brawley', 'Brawley, California', '加利福尼亚州布劳利', 32.979, -115.53, 'imperial-county', 26_000],
  ['parkfield', 'Parkfield, California', '加利福尼亚州帕克菲尔德', 35.9, -120.433, 'monterey-county', 20],
  ['cobb', 'Cobb, California', '加利福尼亚州科布', 38.822, -122.723, 'lake-county', 1_800],
  [
    'mammoth-lakes',
    'Mammoth Lakes, California',
    '加利福尼亚州马姆莫斯湖',
    37.649,
    -118.972,
    'mono-county',
    7_200,
  ],
  [
    'shasta-lake',
    'Shasta Lake, California',
    '加利福尼亚州沙斯塔湖',
    40.68,
    -122.371,
    'shasta-county',
    10_000,
  ],
  ['ely', 'Ely, Nevada', '内华达州伊利', 39.253, -114.874, 'white-pine-county', 3_900],
  ['enterprise', 'Enterprise, Nevada', '内华达州恩特普赖斯', 36.025, -115.242, 'clark-county', 220_000],
  [
    'princeton',
    'Princeton, British Columbia',
    '不列颠哥伦比亚省普林斯顿',
    49.459,
    -120.507,
    'okanagan-similkameen',
    2_900,
  ],
  ['kittitas', 'Kittitas, Washington', '华盛顿州基提塔斯', 46.983, -120.417, 'kittitas-county', 1_400],
  ['longview', 'Longview, Washington', '华盛顿州朗维尤', 46.138, -122.938, 'cowlitz-county', 38_000],
  ['pahala', 'Pāhala, Hawaii', '夏威夷州帕哈拉', 19.203, -155.479, 'hawaii-county', 1_400],
  ['talkeetna', 'Talkeetna, Alaska', '阿拉斯加州塔尔基特纳', 62.321, -150.107, 'matanuska-susitna', 1_000],
  ['willow', 'Willow, Alaska', '阿拉斯加州威洛', 61.747, -150.038, 'matanuska-susitna', 2_100],
];

/** An invented building with methane sensors on each of its lower floors. */
const RIVERSIDE_TOWER: Place = {
  id: 'riverside-tower',
  name: { en: 'Riverside Tower (fictional)', zh: '河滨大厦（虚构）' },
  kind: 'building',
  district: 'cowlitz-county',
  latitudeDeg: 46.105,
  longitudeDeg: -122.945,
  population: 1_200,
};

/** What the demo looks after. */
export const PLACES: readonly Place[] = [
  ...TOWNS.map(([id, en, zh, latitudeDeg, longitudeDeg, district, population]): Place => ({
    id,
    name: { en, zh },
    kind: 'place-of-care',
    district,
    latitudeDeg,
    longitudeDeg,
    population,
  })),
  RIVERSIDE_TOWER,
];

/** The sensors of the invented building, as their vendor registers them: methane, 0 to 100 %LEL. */
export const SENSORS: readonly Sensor[] = ['boiler-room', 'kitchen', 'lobby', 'riser'].map(
  (room): Sensor => ({
    id: `${RIVERSIDE_TOWER.id}/methane/${room}`,
    vendor: 'vendor-gas',
    tenant: 'demo',
    site: RIVERSIDE_TOWER.id,
    channel: 'methane',
    unit: '%LEL',
    low: 0,
    high: 100,
    position: { latitudeDeg: RIVERSIDE_TOWER.latitudeDeg, longitudeDeg: RIVERSIDE_TOWER.longitudeDeg },
  }),
);
