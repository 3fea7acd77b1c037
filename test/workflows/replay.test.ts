import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { workflowBundle } from '../../bin/workflow-bundle.ts';

const CORPUS = path.join(import.meta.dirname, '..', 'histories');

interface Recorded {
  readonly workflowId: string;
  readonly history: { events: Record<string, unknown>[] };
}

const corpus = fs
  .readdirSync(CORPUS)
  .filter((file) => file.endsWith('.json'))
  .map((file) => ({
    file,
    ...(JSON.parse(fs.readFileSync(path.join(CORPUS, file), 'utf8')) as Recorded),
  }));

// A refused replay is an answer here, not something to warn of.
Runtime.install({
  logger: new DefaultLogger('ERROR', () => {}),
  telemetryOptions: { logging: { filter: 'off' } },
});

async function replay(recorded: readonly Recorded[]): Promise<(Error | undefined)[]> {
  const histories = recorded.map(({ workflowId, history }) => ({
    workflowId,
    history: historyFromJSON(history),
  }));
  const results = Worker.runReplayHistories({ workflowBundle: await workflowBundle() }, histories);
  const errors: (Error | undefined)[] = [];
  for await (const { error } of results) errors.push(error);
  return errors;
}

test('today’s code decides the same on every recorded history', async () => {
  assert.ok(corpus.length > 0, 'the corpus is empty: node --import tsx test/support/record-history.ts');
  const errors = await replay(corpus);
  assert.equal(errors.length, corpus.length);
  assert.deepEqual(
    errors.flatMap((error, index) => (error === undefined ? [] : [[corpus[index]!.file, error.message]])),
    [],
  );
});

test('the corpus holds every workflow, a chain of continued runs, updates, signals and timers', () => {
  const types = new Set<unknown>();
  const events = new Set<unknown>();
  for (const { history } of corpus) {
    const started = history.events[0]?.['workflowExecutionStartedEventAttributes'] as {
      workflowType: { name: string };
    };
    types.add(started.workflowType.name);
    for (const event of history.events) events.add(event['eventType']);
  }
  assert.deepEqual([...types].sort(), ['desk', 'refinePlan', 'respond', 'retrainRecogniser']);
  for (const kind of [
    'WORKFLOW_EXECUTION_CONTINUED_AS_NEW',
    'WORKFLOW_EXECUTION_SIGNALED',
    'WORKFLOW_EXECUTION_UPDATE_COMPLETED',
    'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED',
    'ACTIVITY_TASK_COMPLETED',
    'MARKER_RECORDED',
    'TIMER_FIRED',
  ]) {
    assert.ok(events.has(`EVENT_TYPE_${kind}`), kind);
  }
});

test('no recorded history is large or names the machine it was recorded on', () => {
  for (const { file } of corpus) {
    const text = fs.readFileSync(path.join(CORPUS, file), 'utf8');
    assert.ok(text.length < 200_000, `${file} has ${text.length} bytes`);
    assert.doesNotMatch(text, /"identity":\s*"[^"]+@/, file);
  }
});

test('a history in which a step was done by another activity is refused', async () => {
  const original = corpus.find(({ file }) => file === 'respond-quarry-blast.json');
  assert.ok(original);
  const tampered = structuredClone(original);
  const scheduled = tampered.history.events.find((event) => 'activityTaskScheduledEventAttributes' in event);
  assert.ok(scheduled);
  (
    scheduled['activityTaskScheduledEventAttributes'] as { activityType: { name: string } }
  ).activityType.name = 'guessNotice';
  const [error] = await replay([tampered]);
  assert.ok(error instanceof DeterminismViolationError, String(error));
});
