import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, it } from 'node:test';
import { run as checkDisk } from '../../jobs/check-disk.ts';
import { run as exportClosedBundles } from '../../jobs/export-closed-bundles.ts';
import type { JobContext } from '../../jobs/job.ts';
import { runOnce } from '../../jobs/run-once.ts';
import { run as retrainRecognisers } from '../../jobs/retrain-recognisers.ts';
import { run as watchRecognisers } from '../../jobs/watch-recognisers.ts';
import { RUNNER, timetable } from '../../jobs/timetable.ts';
import type { IncidentView } from '../../domain/ports.ts';

interface Line {
  readonly level: string;
  readonly message: string;
}

function context(over: Partial<JobContext> = {}): JobContext & { readonly lines: Line[] } {
  const lines: Line[] = [];
  const taken = new Set<string>();
  const at =
    (level: string) =>
    (_fields: Record<string, unknown>, message: string): void =>
      void lines.push({ level, message });
  return {
    incidents: { list: () => Promise.resolve([]) },
    jobRuns: {
      claim({ job, slot }) {
        const key = `${job}/${slot}`;
        const outcome = taken.has(key) ? 'exists' : 'inserted';
        taken.add(key);
        return Promise.resolve(outcome);
      },
    },
    bundles: { has: () => false, put: () => Promise.resolve() },
    disk: () => ({ freeBytes: 100e9, totalBytes: 200e9 }),
    watchRecognisers: () => Promise.resolve([]),
    retrainRecognisers: () => Promise.resolve([]),
    log: { info: at('info'), warn: at('warn'), error: at('error') },
    now: () => 1_000_000,
    close: () => Promise.resolve(),
    lines,
    ...over,
  };
}

const about = { job: 'a-job', everyMs: 60_000, holder: 'me' };

describe('the timetable', () => {
  it('names files that are there and export run', async () => {
    assert.ok(fs.existsSync(RUNNER));
    for (const { file } of timetable({
      exportClosedBundlesMs: 1,
      checkDiskMs: 1,
      watchRecognisersMs: 1,
      retrainRecognisersMs: 1,
    })) {
      const { run } = (await import(file)) as { run: unknown };
      assert.equal(typeof run, 'function', file);
    }
  });
});

describe('the timetable of a seldom job', () => {
  it('looks at least once an hour, so that a restart does not put the week off', () => {
    const week = 7 * 86_400_000;
    const all = timetable({
      exportClosedBundlesMs: 900_000,
      checkDiskMs: 300_000,
      watchRecognisersMs: 3_600_000,
      retrainRecognisersMs: week,
    });
    const { everyMs, lookEveryMs } = all.find(({ job }) => job === 'retrain-recognisers')!;
    assert.deepEqual([everyMs, lookEveryMs], [week, 3_600_000]);
    assert.ok(all.every((one) => one.lookEveryMs <= one.everyMs));
  });

  it('runs it once in its period however often it looks', async () => {
    let nowMs = 0;
    const shared = context({ now: () => nowMs });
    let runs = 0;
    const seldom = { job: 'retrain-recognisers', everyMs: 7 * 86_400_000, holder: 'me' };
    for (; nowMs < 14 * 86_400_000; nowMs += 3_600_000)
      await runOnce(seldom, shared, async () => void (runs += 1));
    assert.equal(runs, 2);
  });
});

describe('a run of a job', () => {
  it('happens once a slot, however many runners there are', async () => {
    const shared = context();
    let runs = 0;
    const job = (): Promise<void> => Promise.resolve(void (runs += 1));
    const outcomes = await Promise.all([1, 2, 3].map(() => runOnce(about, shared, job)));
    assert.equal(runs, 1);
    assert.deepEqual(outcomes.sort(), ['ran', 'taken', 'taken']);
  });

  it('happens again in the next slot', async () => {
    let nowMs = 0;
    const shared = context({ now: () => nowMs });
    let runs = 0;
    for (nowMs of [0, 59_999, 60_000]) await runOnce(about, shared, async () => void (runs += 1));
    assert.equal(runs, 2);
  });

  it('that throws is an error in the log', async () => {
    const shared = context();
    await assert.rejects(
      runOnce(about, shared, () => Promise.reject(new Error('no'))),
      /no/,
    );
    assert.equal(shared.lines.at(-1)?.level, 'error');
  });
});

describe('exporting closed bundles', () => {
  const view = (incidentId: string, phase: IncidentView['phase'], writtenAtMs: number): IncidentView =>
    ({ incidentId, phase, writtenAtMs }) as IncidentView;

  it('bundles what is closed and has no bundle, oldest first', async () => {
    const put: string[] = [];
    await exportClosedBundles(
      context({
        incidents: {
          list: () =>
            Promise.resolve([
              view('young', 'closed', 30),
              view('open', 'responding', 5),
              view('old', 'closed', 10),
              view('done', 'closed', 1),
            ]),
        },
        bundles: { has: (id) => id === 'done', put: (id) => Promise.resolve(void put.push(id)) },
      }),
    );
    assert.deepEqual(put, ['old', 'young']);
  });

  it('goes on with the others when one cannot be bundled', async () => {
    const put: string[] = [];
    const shared = context({
      incidents: { list: () => Promise.resolve([view('bad', 'closed', 1), view('good', 'closed', 2)]) },
      bundles: {
        has: () => false,
        put: (id) => (id === 'bad' ? Promise.reject(new Error('gone')) : Promise.resolve(void put.push(id))),
      },
    });
    await exportClosedBundles(shared);
    assert.deepEqual(put, ['good']);
    assert.deepEqual(
      shared.lines.map(({ level }) => level),
      ['error', 'info'],
    );
  });
});

describe('checking the disk', () => {
  const levels: readonly (readonly [string, number, string])[] = [
    ['is silent with room', 100e9, 'info'],
    ['warns at half of the way', 15e9, 'warn'],
    ['alarms when it is almost full', 5e9, 'error'],
  ];
  for (const [what, freeBytes, level] of levels) {
    it(what, async () => {
      const shared = context({ disk: () => ({ freeBytes, totalBytes: 200e9 }) });
      await checkDisk(shared);
      assert.equal(shared.lines[0]?.level, level);
    });
  }
});

describe('the watch over recognisers', () => {
  const watched = (alarm: boolean): Awaited<ReturnType<JobContext['watchRecognisers']>>[number] => ({
    name: 'notice-forest',
    hash: 'h1',
    rows: 50,
    enough: true,
    alarm,
    monitors: [{ monitor: 'abstention', value: 0.5, limit: 0.2, alarm, reason: 'it abstains on 50 %' }],
    shadow: null,
  });

  it('raises an alarm for the one that drifts, and only for it', async () => {
    const shared = context({ watchRecognisers: () => Promise.resolve([watched(false), watched(true)]) });
    await watchRecognisers(shared);
    assert.deepEqual(
      shared.lines.map(({ level }) => level),
      ['info', 'error'],
    );
  });
});

describe('retraining recognisers', () => {
  it('only starts what goes on by itself, and says what was under way already', async () => {
    const shared = context({
      retrainRecognisers: () =>
        Promise.resolve([
          { name: 'notice-forest', started: true },
          { name: 'notice-svm', started: false },
        ]),
    });
    await retrainRecognisers(shared);
    assert.deepEqual(
      shared.lines.map(({ message }) => message),
      ['retraining started', 'retraining is under way already'],
    );
  });
});
