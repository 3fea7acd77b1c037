import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { distanceKm } from '../../domain/detect/geo.ts';
import { disturb } from '../../domain/detect/seismic/disturb.ts';
import type { Disturbed } from '../../domain/detect/seismic/disturb.ts';
import { P_KM_PER_S } from '../../domain/detect/seismic/locate.ts';
import { createNetwork } from '../../domain/detect/seismic/network.ts';
import type { Network, NetworkAlert } from '../../domain/detect/seismic/network.ts';
import type { Position } from '../../domain/units.ts';
import { leaf } from '../command-line.ts';
import { facts, positionText, print, printJson, table } from '../output.ts';
import { readRecording } from './packets.ts';
import type { Recording } from './packets.ts';

interface Options {
  readonly lose: number;
  readonly delay: { readonly share: number; readonly seconds: number };
  readonly noise: number;
  readonly wrongClocks: number;
  readonly seed: number;
  readonly origin?: { readonly atSeconds: number; readonly position: Position };
  readonly json?: boolean;
}

export function declareNetwork(detect: Command): void {
  leaf(
    detect,
    'network <folder>',
    'replay the packets of a seismic network as they arrived: when it alerts, where, and which clocks it does not believe',
    'tocsin detect network openeew/ --lose 5 --delay 10:3 --noise 2 --seed 7',
  )
    .option('--lose <percent>', 'rehearse: so many packets never arrive', parsePercent, 0)
    .option('--delay <percent:seconds>', 'rehearse: so many packets arrive so much later', parseDelay, {
      share: 0,
      seconds: 0,
    })
    .option('--noise <stations>', 'rehearse: so many stations shake by themselves', parseCount, 0)
    .option('--wrong-clocks <stations>', 'rehearse: so many clocks are minutes wrong', parseCount, 0)
    .option('--seed <number>', 'what the rehearsal draws its luck from', parseCount, 1)
    .option(
      '--origin <time,latitude,longitude>',
      'the earthquake as it is known now, to say how long after its P waves the alert came',
      parseOrigin,
    )
    .action(run);
}

async function run(folder: string, options: Options): Promise<void> {
  const recording = await readRecording(folder);
  const { share, seconds } = options.delay;
  const disturbed = disturb(recording.packets, {
    lost: options.lose / 100,
    delayed: share,
    delaySeconds: seconds,
    noisyStations: options.noise,
    wrongClocks: options.wrongClocks,
    seed: options.seed,
  });
  const network = createNetwork(recording.positions);
  const alerts: NetworkAlert[] = [];
  for (const packet of disturbed.packets) {
    const alert = network.take(packet);
    if (alert !== undefined) alerts.push(alert);
  }
  const answer = describe(recording, disturbed, network, alerts, options);
  if (options.json) printJson(answer);
  else draw(answer);
}

type Answer = ReturnType<typeof describe>;

function describe(
  recording: Recording,
  { packets, noisy, wrongClocks }: Disturbed,
  network: Network,
  alerts: readonly NetworkAlert[],
  { seed, origin }: Options,
) {
  const known = origin === undefined ? null : judge(origin, recording, alerts);
  const last = network.latest();
  return {
    packets: packets.length,
    fromAt: iso(packets[0]?.arrivalSeconds),
    toAt: iso(packets.at(-1)?.arrivalSeconds),
    alerts: alerts.map((alert) => toldAlert(alert)),
    /** The last alert's place, with the stations that joined after it. */
    latest: last === undefined ? null : toldAlert(last),
    clocksNotBelieved: network
      .stations()
      .filter(({ clock }) => !clock.believed)
      .map(({ device, clock: { envelopeSeconds, reason } }) => ({
        device,
        reason,
        envelopeSeconds: Number(envelopeSeconds.toFixed(3)),
      })),
    stations: network
      .stations()
      .map(({ device, clock, packets: count, alone, onsetSeconds }) => ({
        device,
        packets: count,
        clockBelieved: clock.believed,
        envelopeSeconds: Number(clock.envelopeSeconds.toFixed(3)),
        triggersAlone: alone,
        onsetAt: iso(onsetSeconds ?? undefined),
        ...(known === null ? {} : { pExpectedAt: iso(known.expected.get(device)) }),
      }))
      .sort((a, b) => (a.device < b.device ? -1 : 1)),
    brokenLines: recording.brokenLines,
    broken: recording.broken,
    devicesWithoutPlace: recording.unplaced,
    rehearsal: { seed, noisy, wrongClocks },
    judged: known?.told ?? null,
  };
}

const iso = (seconds: number | undefined): string | null =>
  seconds === undefined ? null : new Date(Math.round(seconds * 1_000)).toISOString();

function toldAlert({ atSeconds, origin }: NetworkAlert) {
  return {
    at: iso(atSeconds)!,
    atSeconds: Number(atSeconds.toFixed(3)),
    originAt: iso(origin.originSeconds)!,
    latitudeDeg: Number(origin.position.latitudeDeg.toFixed(3)),
    longitudeDeg: Number(origin.position.longitudeDeg.toFixed(3)),
    uncertaintyKm: Math.round(origin.uncertaintyKm),
    support: Number(origin.support.toFixed(2)),
    stations: origin.arrivals.map(({ station }) => station),
  };
}

/** How the alerts stand to the earthquake as it is known: by epicentral distance and the speed of P waves. */
function judge(
  { atSeconds, position }: NonNullable<Options['origin']>,
  { positions, packets }: Recording,
  alerts: readonly NetworkAlert[],
) {
  const sending = new Set(packets.map(({ device }) => device));
  const expected = new Map<string, number>();
  for (const [device, place] of positions) {
    if (sending.has(device)) expected.set(device, atSeconds + distanceKm(position, place) / P_KM_PER_S);
  }
  const secondP = [...expected.values()].sort((a, b) => a - b)[1];
  const first = alerts.find((alert) => alert.atSeconds >= atSeconds);
  const told = {
    secondPAt: iso(secondP),
    afterSecondPSeconds:
      first === undefined || secondP === undefined ? null : Number((first.atSeconds - secondP).toFixed(3)),
    afterOriginSeconds: first === undefined ? null : Number((first.atSeconds - atSeconds).toFixed(3)),
    placeErrorKm: first === undefined ? null : Math.round(distanceKm(first.origin.position, position)),
    falseBefore: alerts.filter((alert) => alert.atSeconds < atSeconds).length,
  };
  return { expected, told };
}

function draw(answer: Answer): void {
  const { alerts, latest, judged, rehearsal } = answer;
  print(
    `${answer.packets} packets of ${answer.stations.length} stations, ${answer.fromAt} to ${answer.toAt}`,
  );
  if (rehearsal.noisy.length > 0) print(`made noisy: ${rehearsal.noisy.join(', ')}`);
  for (const { device, errorSeconds } of rehearsal.wrongClocks) {
    print(`clock made wrong: ${device} by ${errorSeconds} s`);
  }
  if (alerts.length === 0) print('No alert.');
  for (const alert of alerts) {
    print('');
    print(
      facts([
        ['ALERT', `${alert.at}, by ${alert.stations.join(' and ')}`],
        ['place', placeOf(alert)],
        ['began', alert.originAt],
      ]),
    );
  }
  if (latest !== null) {
    print(facts([['later', `${placeOf(latest)}, from ${latest.stations.length} stations`]]));
  }
  if (judged !== null) {
    print('');
    print(
      facts([
        ['after the second P', judged.afterSecondPSeconds === null ? '-' : `${judged.afterSecondPSeconds} s`],
        ['after the origin', judged.afterOriginSeconds === null ? '-' : `${judged.afterOriginSeconds} s`],
        ['place was off by', judged.placeErrorKm === null ? '-' : `${judged.placeErrorKm} km`],
        ['false alerts before', String(judged.falseBefore)],
      ]),
    );
  }
  print('');
  print(
    table(
      ['station', 'packets', 'P onset', 'triggers alone', 'clock'],
      answer.stations.map((station) => [
        station.device,
        String(station.packets),
        station.onsetAt?.slice(11, 23) ?? '-',
        String(station.triggersAlone),
        station.clockBelieved ? 'believed' : 'NOT believed',
      ]),
    ),
  );
  for (const { device, reason } of answer.clocksNotBelieved) print(`clock of ${device}: ${reason}`);
  if (answer.devicesWithoutPlace.length > 0) {
    print(`left out, no place known: ${answer.devicesWithoutPlace.join(', ')}`);
  }
  if (answer.brokenLines > 0) {
    print(`${answer.brokenLines} broken lines left out:`);
    for (const { file, line, reason } of answer.broken.slice(0, 5)) print(`  ${file}:${line} ${reason}`);
  }
}

const placeOf = ({ uncertaintyKm, ...position }: Position & { readonly uncertaintyKm: number }): string =>
  `${positionText(position, 3)}, give or take ${uncertaintyKm} km`;

function parsePercent(text: string): number {
  const percent = Number(text);
  if (text.trim() === '' || !(percent >= 0 && percent <= 100)) {
    throw new InvalidArgumentError('Give a percentage from 0 to 100.');
  }
  return percent;
}

function parseDelay(text: string): Options['delay'] {
  const [percent = '', seconds = ''] = text.split(':');
  const late = Number(seconds);
  if (seconds.trim() === '' || !(late >= 0))
    throw new InvalidArgumentError('Give percent:seconds, such as 10:3.');
  return { share: parsePercent(percent) / 100, seconds: late };
}

function parseCount(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Give a whole number.');
  return Number(text);
}

function parseOrigin(text: string): NonNullable<Options['origin']> {
  const [time = '', latitude = '', longitude = ''] = text.split(',');
  const atSeconds = Date.parse(time) / 1_000;
  const latitudeDeg = Number(latitude);
  const longitudeDeg = Number(longitude);
  if (
    Number.isNaN(atSeconds) ||
    latitude === '' ||
    longitude === '' ||
    Number.isNaN(latitudeDeg + longitudeDeg)
  ) {
    throw new InvalidArgumentError(
      'Give time,latitude,longitude such as 2020-06-23T15:29:04Z,15.886,-96.008',
    );
  }
  return { atSeconds, position: { latitudeDeg, longitudeDeg } };
}
