import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { linearSumAssignment } from 'linear-sum-assignment';
import { assign } from '../domain/dispatch/assignment.ts';
import type { AssignmentProblem } from '../domain/dispatch/assignment.ts';
import { createStandingAssignment } from '../domain/dispatch/standing.ts';
import { createRandom } from '../domain/random.ts';
import { compare, median, report, skip, timed } from './harness.ts';

/**
 * Exact assignment beside SciPy (where `python3` has it; another Python: `TOCSIN_BENCH_PYTHON`) and beside the npm
 * package linear-sum-assignment; one change of a standing assignment beside a cold solution. Optima must be equal
 * before any time counts.
 */
const ORLIB = path.resolve(import.meta.dirname, '../../shared/data/orlib');
const N = 500;
const random = createRandom(20180206);

interface Instance {
  readonly name: string;
  readonly problem: AssignmentProblem;
}

const ordinary: Instance[] = [
  ...['assign100', 'assign500'].flatMap(fromOrLibrary),
  ...[200, 400, 800].map((n) => instance(`random-${n}`, n, n, () => 1 + random.integer(100))),
];
const adversarial: Instance[] = [
  onPlane('euclidean', N, N),
  instance('uniform-real', N, N, () => random.unit()),
  instance('machol-wien', N, N, (i, j) => (i + 1) * (j + 1)),
  duplicatedRows(),
  onPlane('rectangular', N / 2, N),
  instance('forbidden', N, N, (i, j) => (i !== j && random.unit() < 0.9 ? Infinity : random.unit())),
];

const python = await startPython();
for (const one of ordinary) {
  await againstScipy(one, 'P12', 0.5, 1);
  await againstNpm(one);
}
const ratios: number[] = [];
for (const one of adversarial) ratios.push(...(await againstScipy(one, 'P13', 0.1, 1 / 3)));
if (ratios.length > 0)
  report({
    id: 'P13/worst-vs-scipy',
    ours: 1 / Math.min(...ratios),
    reference: 1,
    unit: 'times SciPy',
    better: 'lower',
    floor: 0.1,
    goal: 1 / 3,
    n: ratios.length,
  });
python?.stop();
changesAgainstCold();

function fromOrLibrary(name: string): Instance[] {
  const file = path.join(ORLIB, `${name}.txt`);
  if (!fs.existsSync(file)) {
    skip(`P12/${name}`, 'data ../shared/data/orlib is absent');
    return [];
  }
  const [n = 0, ...costs] = fs.readFileSync(file, 'utf8').trim().split(/\s+/).map(Number);
  return [{ name, problem: { rows: n, columns: n, costs: Float64Array.from(costs) } }];
}

function instance(
  name: string,
  rows: number,
  columns: number,
  cost: (i: number, j: number) => number,
): Instance {
  const costs = Float64Array.from({ length: rows * columns }, (_, k) =>
    cost(Math.floor(k / columns), k % columns),
  );
  return { name, problem: { rows, columns, costs } };
}

function onPlane(name: string, rows: number, columns: number): Instance {
  const points = Array.from({ length: rows + columns }, () => [random.unit(), random.unit()] as const);
  return instance(name, rows, columns, (i, j) => {
    const [a, b] = [points[i]!, points[rows + j]!];
    return Math.hypot(a[0] - b[0], a[1] - b[1]);
  });
}

function duplicatedRows(): Instance {
  const kinds = Array.from({ length: N / 10 }, () => Float64Array.from({ length: N }, () => random.unit()));
  return instance('duplicated-rows', N, N, (i, j) => kinds[i % kinds.length]![j]!);
}

async function againstScipy(one: Instance, id: string, floor: number, goal: number): Promise<number[]> {
  const name = `${id}/${one.name}-vs-scipy`;
  if (python === null) {
    skip(name, 'python3 with scipy is absent');
    return [];
  }
  await python.load(one.problem);
  equal((await python.solve()).total, assign(one.problem).total, name);
  const figure = await compare({
    id: name,
    unit: 'ms',
    better: 'lower',
    floor,
    goal,
    repetitions: 7,
    reference: async () => median([(await python.solve()).ms, (await python.solve()).ms]),
    ours: () => median([0, 0, 0].map(() => timed(() => assign(one.problem)))),
  });
  return [figure.ratio];
}

async function againstNpm({ name, problem }: Instance): Promise<void> {
  const { rows, columns, costs } = problem;
  if (rows > 500) return;
  const matrix = Array.from({ length: rows }, (_, i) => costs.slice(i * columns, (i + 1) * columns));
  const solveTheirs = (): { gain: number } => linearSumAssignment(matrix, { maximaze: false });
  equal(solveTheirs().gain, assign(problem).total, `P12/${name}-vs-npm`);
  await compare({
    id: `P12/${name}-vs-npm-linear-sum-assignment`,
    unit: 'ms',
    better: 'lower',
    floor: 1,
    goal: 1,
    reference: () => timed(solveTheirs),
    ours: () => timed(() => assign(problem)),
  });
}

/** P14: 1,000 demands come and go among 500 units; every hundredth state is checked by a cold solution. */
function changesAgainstCold(): void {
  const units = Array.from({ length: N }, () => [random.unit(), random.unit()] as const);
  const demand = (): Float64Array => {
    const [x, y] = [random.unit(), random.unit()];
    return Float64Array.from(units, ([ux, uy]) => Math.hypot(ux - x, uy - y));
  };
  const standing = createStandingAssignment(N);
  const present: { handle: number; costs: Float64Array }[] = [];
  const add = (costs: Float64Array): void => void present.push({ handle: standing.add(costs)!, costs });
  const solveCold = (): number => {
    const costs = new Float64Array(present.length * N);
    present.forEach((row, i) => costs.set(row.costs, i * N));
    return assign({ rows: present.length, columns: N, costs }).total;
  };
  for (let i = 0; i < N - 20; i++) add(demand());
  const changes: number[] = [];
  const colds: number[] = [];
  for (let i = 0; i < 1_200; i++) {
    const isAddition = present.length < N - 40 || (present.length < N && random.integer(2) === 0);
    const costs = demand();
    const leaving = isAddition ? undefined : present.splice(random.integer(present.length), 1)[0]!;
    const elapsedMs = timed(() => (leaving === undefined ? add(costs) : standing.remove(leaving.handle)));
    // The first changes run before the compiler has seen the code.
    if (i >= 200) changes.push(elapsedMs);
    if (i % 100 !== 0) continue;
    equal(standing.total(), solveCold(), 'P14');
    if (i >= 200) colds.push(timed(() => void solveCold()));
  }
  const shared = { unit: 'ms', better: 'lower', n: changes.length } as const;
  const cold = median(colds);
  report({
    ...shared,
    id: 'P14/one-change-median-vs-cold',
    ours: median(changes),
    reference: cold,
    floor: 20,
    goal: 100,
  });
  const p99 = changes.sort((a, b) => a - b)[Math.floor(changes.length * 0.99)]!;
  report({ ...shared, id: 'P14/one-change-p99-vs-cold', ours: p99, reference: cold, floor: 1, goal: 5 });
}

function equal(a: number, b: number, what: string): void {
  if (Math.abs(a - b) > 1e-6 * Math.max(1, Math.abs(a)))
    throw new Error(`${what}: optima differ, ${a} and ${b}`);
}

interface Scipy {
  load(problem: AssignmentProblem): Promise<void>;
  solve(): Promise<{ ms: number; total: number }>;
  stop(): void;
}

async function startPython(): Promise<Scipy | null> {
  const command = process.env['TOCSIN_BENCH_PYTHON'] ?? 'python3';
  const child = spawn(command, [path.join(import.meta.dirname, 'assignment-scipy.py')], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const absent = new Promise<null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('exit', () => resolve(null));
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<unknown> => JSON.parse((await lines.next()).value as string);
  const greeting = await Promise.race([answer().catch(() => null), absent]);
  if (greeting === null) return null;
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-bench-'));
  const file = path.join(directory, 'costs');
  const ask = (request: object): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    return answer();
  };
  return {
    async load({ rows, columns, costs }) {
      fs.writeFileSync(file, new Uint8Array(costs.buffer, costs.byteOffset, costs.byteLength));
      await ask({ do: 'load', file, rows, columns });
    },
    solve: async () => (await ask({ do: 'solve' })) as { ms: number; total: number },
    stop() {
      child.stdin.end();
      fs.rmSync(directory, { recursive: true, force: true });
    },
  };
}
