import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readFrame } from '../api/ingest/frame.ts';
import { DetectorBank } from '../domain/detect/kernel.ts';
import { obtainStore } from '../embedded/obtain-store.mjs';
import { startStore } from '../embedded/run-store.ts';
import type { StoreHandle } from '../embedded/run-store.ts';
import { connectStore } from '../models/connect.ts';
import { createIngestStores } from '../models/inbox.ts';
import { compare, median, report } from './harness.ts';
import { countsOf, sensorAt, valueOf } from './ingest/messages.ts';
import type { Load } from './ingest/messages.ts';
import { startClient, startServer, stopAll } from './ingest/processes.ts';
import type { BenchServer } from './ingest/processes.ts';

/**
 * The vendors' door: the kernel path and the whole door beside a server that decodes and does nothing (P1, P2), the
 * vendors' kit beside a plain client (P3), the way to an incident (P5), and the door on the embedded store. Server and
 * client are processes of their own; what was accepted and what was detected is checked before a time counts.
 */
const { values: options } = parseArgs({
  options: {
    sensors: { type: 'string', default: '5000' },
    batch: { type: 'string' },
    seconds: { type: 'string', default: '10' },
    only: { type: 'string' },
    json: { type: 'boolean' },
  },
});
const sensors = Number(options.sensors);
const seconds = Number(options.seconds);
const wants = (id: string): boolean => options.only === undefined || options.only.split(',').includes(id);
const say = (text: string): void => {
  if (options.json !== true) process.stderr.write(`${text}\n`);
};
const SITES = 500;
/** Of one repetition: enough that connecting is nothing. */
const KERNEL_READINGS = 400_000;
const DOOR_READINGS = 150_000;
let boots = 0;
let durableAccepted = 0;

process.once('exit', stopAll);
const client = startClient();
const numbers = Array.from({ length: sensors }, (_, n) => n);
const batches = options.batch === undefined ? [100, 1_000] : [Number(options.batch)];

for (const batch of batches) {
  const id = batch === 1_000 ? 'P2' : 'P1';
  if (wants(id)) await againstEcho(id, batch);
}
if (wants('P3')) await kitAgainstPlain();
if (wants('P5')) await untilIncidents();
if (wants('durable') || wants('memory')) await onTheStore();
client.stop();
stopAll();

/** Whole messages, observed within the last minute. */
function loadOf(batch: number, readings: number, round: number): Load {
  return {
    sensors,
    batch,
    readings: Math.ceil(readings / batch) * batch,
    round,
    form: 'readings',
    boot: '',
    startMs: Date.now() - 61_000,
  };
}

async function againstEcho(id: string, batch: number): Promise<void> {
  const echo = await startServer('echo');
  const kernel = await startServer({ mode: 'kernel', sensors: numbers, sites: SITES });
  let sent = 0;
  const cpu = { echo: [] as number[], kernel: [] as number[] };
  /** ns of the server's CPU a reading: says more than the clock where others use the machine too. */
  const costing = async (
    server: BenchServer,
    into: number[],
    work: () => Promise<number>,
  ): Promise<number> => {
    const before = (await server.usage()).cpuMs;
    const result = await work();
    into.push(((await server.usage()).cpuMs - before) * (1e6 / KERNEL_READINGS));
    return result;
  };
  const reference = async (): Promise<number> => {
    const load = loadOf(batch, KERNEL_READINGS, 0);
    const { startedAtMs, endedAtMs } = await client.run({
      do: 'flood',
      port: echo.port,
      load,
      streams: 1,
      answersOnce: true,
    });
    return (1_000 * load.readings) / (endedAtMs - startedAtMs);
  };
  const ours = async (server: BenchServer, readings: number, round: number): Promise<number> => {
    const load = loadOf(batch, readings, round);
    const { startedAtMs, accepted } = await client.run({
      do: 'flood',
      port: server.port,
      load,
      streams: 1,
    });
    const { detectedAtMs, readings: seen } = await server.report();
    if (accepted !== load.readings) throw new Error(`${accepted} accepted of ${load.readings}`);
    if (seen !== load.readings * (round + 1))
      throw new Error(`${seen} archived of ${load.readings * (round + 1)}`);
    return (1_000 * load.readings) / (detectedAtMs - startedAtMs);
  };
  const common = { unit: 'readings/s', better: 'higher', floor: 0.6, goal: 1, reference } as const;
  await compare({
    ...common,
    id: `${id}/kernel-${batch}-readings-a-message`,
    reference: () => costing(echo, cpu.echo, reference),
    ours: () => costing(kernel, cpu.kernel, () => ours(kernel, KERNEL_READINGS, sent++)),
  });
  const costs = cpu.kernel.slice(1).map((ns, n) => cpu.echo[n + 1]! / ns);
  report({
    id: `${id}/kernel-${batch}-cpu-of-the-server`,
    ours: median(cpu.kernel.slice(1)),
    reference: median(cpu.echo.slice(1)),
    ratio: median(costs),
    min: Math.min(...costs),
    max: Math.max(...costs),
    n: costs.length,
    unit: 'ns a reading',
    better: 'lower',
    floor: 0.6,
    goal: 1,
  });
  const { alarms, alarmCount } = await kernel.report();
  const expected = offline(loadOf(batch, KERNEL_READINGS, 0), sent);
  if (alarms !== expected.alarms) {
    throw new Error(`The alarms are not those of an offline run: ${alarmCount} and ${expected.alarmCount}.`);
  }
  say(`${id}: ${alarmCount} alarms, the same as offline`);
  kernel.stop();
  const door = await startServer({ mode: 'door', sensors: numbers, sites: SITES });
  let rounds = 0;
  await compare({
    ...common,
    id: `${id}/whole-door-${batch}-readings-a-message`,
    floor: 0,
    ours: () => ours(door, DOOR_READINGS, rounds++),
  });
  door.stop();
  echo.stop();
}

/** The detector bank over the same readings, without a wire. */
function offline(load: Load, rounds: number): { alarms: string; alarmCount: number } {
  const bank = new DetectorBank(load.sensors);
  const perRound = countsOf(load);
  const digest = createHash('sha256');
  let alarmCount = 0;
  for (let round = 0; round < rounds; round++) {
    const counts = new Uint32Array(load.sensors);
    for (let n = 0; n < load.readings; n++) {
      const sensor = sensorAt(load, n);
      const value = valueOf(sensor, round * perRound[sensor]! + counts[sensor]!++);
      const mask = bank.push(sensor, value);
      if (mask === 0) continue;
      digest.update(`${sensor}|${value}|${mask}\n`);
      alarmCount += 1;
    }
  }
  return { alarms: digest.digest('hex'), alarmCount };
}

async function kitAgainstPlain(): Promise<void> {
  const server = await startServer({ mode: 'kernel', sensors: numbers, sites: SITES });
  let round = 0;
  const run = async (kind: 'kit' | 'plain'): Promise<number> => {
    const load = { ...loadOf(1, 20_000, round++), startMs: Date.now() - 1_000 };
    const { startedAtMs, endedAtMs, accepted, cpuMs } = await client.run({
      do: kind,
      port: server.port,
      load,
    });
    if (accepted !== load.readings) throw new Error(`${kind}: ${accepted} accepted of ${load.readings}`);
    say(`P3: ${kind} ${((1_000 * cpuMs) / load.readings).toFixed(1)} µs of the client's CPU a reading`);
    return (1_000 * load.readings) / (endedAtMs - startedAtMs);
  };
  await compare({
    id: 'P3/kit-vs-plain-client',
    unit: 'readings/s',
    better: 'higher',
    floor: 3,
    goal: 4.5,
    reference: () => run('plain'),
    ours: () => run('kit'),
  });
  server.stop();
}

/** From the arrival of a reading to the call that opens its incident, at half the speed that the door can take. */
async function untilIncidents(): Promise<void> {
  const door = await startServer({ mode: 'door', sensors: numbers, sites: SITES });
  let round = 0;
  // Enough for a hundred events: of fewer, the slowest alone would be the 99th percentile.
  const readings = 1_000_000;
  const flood = loadOf(100, readings, round++);
  const full = await client.run({ do: 'flood', port: door.port, load: flood, streams: 1 });
  const { detectedAtMs } = await door.report();
  const perSecond = (0.5 * 1_000 * flood.readings) / (detectedAtMs - full.startedAtMs);
  const p99s: number[] = [];
  let events = 0;
  while (p99s.length < 5) {
    const load = { ...loadOf(100, readings, round++), startMs: Date.now() - 1_000 };
    await client.run({ do: 'pace', port: door.port, load, streams: 1, perSecond });
    const { signalMs } = await door.report();
    events += signalMs.length;
    if (signalMs.length > 0) p99s.push(percentile(signalMs, 0.99));
  }
  door.stop();
  say(`P5: ${events} events at ${Math.round(perSecond)} readings/s`);
  figure('P5/reading-to-incident-p99', p99s, 50, 'ms', 'lower', 5);
}

async function onTheStore(): Promise<void> {
  const { binary = '', kind = 'ferret' } = await obtainStore({ env: {} });
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-bench-'));
  const store = await startStore({ binary, kind, dir });
  try {
    const streams = 8;
    const many = Array.from({ length: 32 }, (_, s) =>
      Array.from({ length: 200 }, (_, n) => s * 10_000 + n),
    ).flat();
    const door = await startServer({ mode: 'durable', sensors: many, sites: 50, uri: store.uri });
    if (wants('durable')) {
      const full = await durableSpeed(door, streams);
      await durableLatency(door, streams, full / 2, 'half-the-rate');
      for (const perSecond of [25_000, 100_000]) {
        await durableLatency(door, streams, perSecond, `${perSecond}-readings-a-second`);
      }
      await singleReadings(door);
      await exactlyOnce(store, await door.report());
    }
    if (wants('memory')) await pausedStore(door, store);
    door.stop();
  } finally {
    await store.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

/** A load with numbers of its own, for `streams` streams of 200 sensors. */
function durableLoad(batch: number, streams: number, readings: number): Load {
  return {
    sensors: 200 * streams,
    batch,
    readings: Math.ceil(readings / (batch * streams)) * batch * streams,
    round: 0,
    form: 'readings',
    boot: `b${++boots}`,
    startMs: Date.now() - 30_000,
  };
}

async function durableSpeed(door: BenchServer, streams: number): Promise<number> {
  const speeds: number[] = [];
  for (let n = 0; n < 6; n++) {
    const load = durableLoad(1_000, streams, 200_000);
    const result = await client.run({ do: 'flood', port: door.port, load, streams });
    if (result.accepted !== load.readings) throw new Error(`${result.accepted} accepted of ${load.readings}`);
    durableAccepted += result.accepted;
    // The first one warms up.
    if (n > 0) speeds.push((1_000 * load.readings) / (result.endedAtMs - result.startedAtMs));
    say(
      `durable: ${Math.round((1_000 * load.readings) / (result.endedAtMs - result.startedAtMs))} readings/s`,
    );
    await door.report();
  }
  figure('durable/acknowledged-a-second', speeds, 50_000, 'readings/s', 'higher', 4);
  return median(speeds);
}

async function durableLatency(
  door: BenchServer,
  streams: number,
  perSecond: number,
  name: string,
): Promise<void> {
  const p99s: number[] = [];
  for (let n = 0; n < 5; n++) {
    const load = durableLoad(1_000, streams, (perSecond * Math.max(1, seconds)) / 5);
    const result = await client.run({ do: 'pace', port: door.port, load, streams, perSecond });
    durableAccepted += result.accepted;
    p99s.push(percentile(result.ackMs, 0.99));
  }
  figure(`durable/acknowledgement-p99-at-${name}`, p99s, 50, 'ms', 'lower', 1);
}

/** 1,000 readings/s as single-reading messages on 32 streams, of which a fifth was sent before. */
async function singleReadings(door: BenchServer): Promise<void> {
  const load = durableLoad(1, 32, 800 * seconds);
  const result = await client.run({
    do: 'pace',
    port: door.port,
    load,
    streams: 32,
    perSecond: 1_000,
    repeats: 0.2,
  });
  if (result.accepted !== load.readings) throw new Error(`${result.accepted} accepted of ${load.readings}`);
  durableAccepted += result.accepted;
  say(
    `durable: ${result.ackMs.length} single readings, ${result.ackMs.length - load.readings} of them repeated`,
  );
  figure(
    'durable/single-readings-acknowledgement-p99',
    [percentile(result.ackMs, 0.99)],
    500,
    'ms',
    'lower',
    1,
  );
}

/** I1: what was accepted is in the archive, each reading once. */
async function exactlyOnce(store: StoreHandle, { readings }: { readonly readings: number }): Promise<void> {
  const { connection, close } = await connectStore(store.uri, { dbName: 'bench' });
  const { frames } = createIngestStores(connection);
  // More than one Set can hold: the numbers of each device apart.
  const seen = new Map<string, Set<number>>();
  let archived = 0;
  let different = 0;
  for (let seq = 1; ; seq++) {
    const frame = await frames.read(seq);
    if (frame === null) break;
    for (const block of readFrame(frame.bytes)) {
      if (block.kind !== 'readings' || block.vendor !== 'meters') continue;
      const device = `${block.sensor}|${block.boot}`;
      const numbers = seen.get(device) ?? new Set();
      seen.set(device, numbers);
      const before = numbers.size;
      for (let n = 0; n < block.values.length; n++) numbers.add(block.firstSequence + n);
      archived += block.values.length;
      different += numbers.size - before;
    }
  }
  await close();
  if (archived !== durableAccepted || different !== archived || readings !== archived) {
    throw new Error(`${durableAccepted} accepted, ${archived} archived, ${different} of them different`);
  }
  say(`durable: ${archived} readings accepted, each archived exactly once`);
}

/** How much the door grows while the client sends faster than the store takes, a third of the time not at all. */
async function pausedStore(door: BenchServer, store: StoreHandle): Promise<void> {
  await door.report();
  // What was left from before must not hide what grows now.
  for (let n = 0; n < 3; n++) {
    await client.run({ do: 'flood', port: door.port, load: durableLoad(1_000, 8, 200_000), streams: 8 });
    await door.report();
  }
  const before = await settled(door);
  let highest = before;
  let isOver = false;
  const sampling = (async () => {
    while (!isOver) {
      highest = Math.max(highest, (await door.usage()).rssBytes);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  })();
  const pauses = setInterval(() => {
    process.kill(store.pid, 'SIGSTOP');
    setTimeout(() => process.kill(store.pid, 'SIGCONT'), 3_000);
  }, 9_000);
  const until = Date.now() + seconds * 1_000;
  // Numbers that go on: devices that start anew every few seconds for minutes on end would be refused.
  const load = durableLoad(1_000, 8, 400_000);
  for (let round = 0; Date.now() < until; round++) {
    const next = { ...load, round, startMs: Date.now() - 30_000 };
    const { accepted } = await client.run({ do: 'flood', port: door.port, load: next, streams: 8 });
    if (accepted !== load.readings) throw new Error(`${accepted} accepted of ${load.readings}`);
  }
  clearInterval(pauses);
  isOver = true;
  await sampling;
  process.kill(store.pid, 'SIGCONT');
  await door.report();
  const after = await settled(door);
  const mb = 1_048_576;
  say(
    `memory: ${Math.round(before / mb)} MB before, ${Math.round(highest / mb)} at most, ${Math.round(after / mb)} after`,
  );
  figure(
    'memory/growth-while-the-store-is-slow',
    [Math.max(1, (highest - before) / mb)],
    50,
    'MB',
    'lower',
    1,
  );
  figure('memory/afterwards-to-before', [after / before], 1.1, 'times', 'lower', 1);
}

/** The smallest of a few readings: what is garbage goes in its own time. */
async function settled(door: BenchServer): Promise<number> {
  let least = Infinity;
  for (let n = 0; n < 10; n++) {
    least = Math.min(least, (await door.usage()).rssBytes);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return least;
}

/** A figure that is held against what is wanted, which stands in for a reference. */
function figure(
  id: string,
  values: readonly number[],
  wanted: number,
  unit: string,
  better: 'lower' | 'higher',
  goal: number,
): void {
  const ratios = values.map((value) => (better === 'lower' ? wanted / value : value / wanted));
  report({
    id,
    ours: median(values),
    reference: wanted,
    ratio: median(ratios),
    min: Math.min(...ratios),
    max: Math.max(...ratios),
    n: values.length,
    unit,
    better,
    floor: 1,
    goal,
  });
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}
