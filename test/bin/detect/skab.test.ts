import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { judgeRecording, readSkabCorpus } from '../../../bin/detect/skab-corpus.ts';
import { detectorNamed } from '../../../domain/detect/detectors.ts';
import { scoreOutliers } from '../../../domain/detect/multi/skab-score.ts';

const folder = fileURLToPath(new URL('../../../../shared/data/skab/valve1', import.meta.url));
const skip = existsSync(folder) ? false : 'data ../shared/data/skab is absent';

test('one rule for all recordings of a closing valve finds it with few false alarms', { skip }, async () => {
  const corpus = await readSkabCorpus(folder);
  const detectors = { outliers: detectorNamed('pca'), changes: detectorNamed('level-change') };
  const { f1, falseAlarmRate } = scoreOutliers(
    corpus.map((recording) => judgeRecording(recording, detectors, 400)),
  );
  assert.ok(f1 >= 0.78, `F1 ${f1}`);
  assert.ok(falseAlarmRate <= 0.2, `false alarms ${falseAlarmRate}`);
});

test('a mark of truth that is neither 0 nor 1 is refused with file, line and column', async () => {
  const place = await mkdtemp(path.join(os.tmpdir(), 'skab-'));
  try {
    const file = path.join(place, 'a.csv');
    await writeFile(
      file,
      'datetime;flow;anomaly;changepoint\n2020-03-09 10:14:33;1;0.0;0.0\n2020-03-09 10:14:34;2;3;0.0\n',
    );
    await assert.rejects(
      readSkabCorpus(place),
      (error: { details?: unknown; message: string }) =>
        error.message.includes(`${file}, line 3, column anomaly`) && error.message.includes('got 3'),
    );
    await writeFile(file, 'datetime;flow;anomaly\n2020-03-09 10:14:33;x;0.0\n');
    await assert.rejects(readSkabCorpus(place), /line 2, column flow/);
  } finally {
    await rm(place, { recursive: true });
  }
});

test('a folder without recordings is said to be one', async () => {
  await assert.rejects(readSkabCorpus('/nonexistent-folder'), { code: 'NO_RECORDINGS' });
});
