import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Packet } from '../../domain/detect/seismic/network.ts';
import type { Position } from '../../domain/units.ts';
import { CommandFailed, EXIT } from '../exit-codes.ts';

/** A line that is no packet. */
export interface BrokenLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly reason: string;
}

export interface Recording {
  readonly positions: ReadonlyMap<string, Position>;
  /** In the order of arrival. */
  readonly packets: Packet[];
  /** The first hundred; `brokenLines` counts all. */
  readonly broken: readonly BrokenLine[];
  readonly brokenLines: number;
  /** Devices that sent packets and whose place nobody knows. */
  readonly unplaced: readonly string[];
}

const NAMED = 100;

/** Reads `devices/devices_locations.csv` and every `*.jsonl` below the folder, as OpenEEW lays them out. */
export async function readRecording(folder: string): Promise<Recording> {
  await mustBeFolder(folder);
  const positions = await readPositions(path.join(folder, 'devices', 'devices_locations.csv'));
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.jsonl')).sort();
  if (files.length === 0) {
    throw new CommandFailed(
      EXIT.notFound,
      'PACKETS_MISSING',
      `There are no packets (*.jsonl) below ${folder}.`,
    );
  }
  const packets: Packet[] = [];
  const broken: BrokenLine[] = [];
  let brokenLines = 0;
  for (const file of files) {
    let line = 0;
    const lines = createInterface({ input: createReadStream(path.join(folder, file)), crlfDelay: Infinity });
    for await (const text of lines) {
      line++;
      if (text.trim() === '') continue;
      const parsed = parsePacket(text);
      if (typeof parsed !== 'string') packets.push(parsed);
      else {
        brokenLines++;
        if (broken.length < NAMED) broken.push({ file, line, reason: parsed });
      }
    }
  }
  packets.sort((a, b) => a.arrivalSeconds - b.arrivalSeconds);
  const unplaced = [...new Set(packets.map(({ device }) => device))].filter(
    (device) => !positions.has(device),
  );
  return { positions, packets, broken, brokenLines, unplaced: unplaced.sort() };
}

async function mustBeFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => null);
  if (found?.isDirectory()) return;
  throw new CommandFailed(EXIT.notFound, 'FOLDER_MISSING', `There is no folder ${folder}.`);
}

async function readPositions(file: string): Promise<Map<string, Position>> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new CommandFailed(EXIT.notFound, 'LOCATIONS_MISSING', `There is no file ${file}.`, { cause });
  });
  const [head = '', ...rows] = text.trim().split(/\r?\n/);
  const columns = head.split(',').map((name) => name.trim());
  const [device, latitude, longitude] = ['device_id', 'latitude', 'longitude'].map((name) => {
    const column = columns.indexOf(name);
    if (column < 0) throw badLocations(file, 1, `the column ${name} is missing`);
    return column;
  }) as [number, number, number];
  const positions = new Map<string, Position>();
  for (const [index, row] of rows.entries()) {
    if (row.trim() === '') continue;
    const cells = row.split(',').map((cell) => cell.trim());
    const latitudeDeg = numberOf(cells[latitude]);
    const longitudeDeg = numberOf(cells[longitude]);
    if (!(Math.abs(latitudeDeg) <= 90) || !(Math.abs(longitudeDeg) <= 180)) {
      throw badLocations(file, index + 2, 'latitude or longitude is no number of degrees');
    }
    positions.set(cells[device] ?? '', { latitudeDeg, longitudeDeg });
  }
  return positions;
}

const numberOf = (text: string | undefined): number =>
  text === undefined || text === '' ? Number.NaN : Number(text);

const badLocations = (file: string, line: number, problem: string): CommandFailed =>
  new CommandFailed(EXIT.failed, 'LOCATIONS_INVALID', `${file}, line ${line}: ${problem}.`);

/** The packet, or in words why it is none. */
function parsePacket(text: string): Packet | string {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return 'is not JSON';
  }
  if (typeof raw !== 'object' || raw === null) return 'is not an object';
  const { device_id, x, y, z, device_t, cloud_t, sr } = raw as Record<string, unknown>;
  if (typeof device_id !== 'string' && typeof device_id !== 'number') return 'device_id is missing';
  if (!isFinite(device_t)) return 'device_t is no number';
  if (!isFinite(cloud_t)) return 'cloud_t is no number';
  if (!isFinite(sr) || sr < 5 || sr > 1_000) return 'sr is no rate between 5 and 1000 Hz';
  const axes: number[][] = [];
  for (const axis of [x, y, z]) {
    if (!Array.isArray(axis) || !axis.every(isFinite)) return 'x, y and z must be lists of numbers';
    axes.push(axis);
  }
  const samples = axes[0]!.length;
  if (samples === 0 || axes.some((axis) => axis.length !== samples)) return 'x, y and z differ in length';
  return { device: String(device_id), deviceSeconds: device_t, arrivalSeconds: cloud_t, rateHz: sr, axes };
}

function isFinite(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
