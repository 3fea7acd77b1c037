import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { writeForecaster } from '../../../bin/forecast/files.ts';
import { readForRegister } from '../../../bin/forecast/register.ts';
import { registered } from '../../support/rising-river.ts';
import { tocsin } from '../command-line.ts';

const folder = await mkdtemp(path.join(os.tmpdir(), 'register-'));
after(() => rm(folder, { recursive: true }));

const artefact = path.join(folder, 'river.forecast');
const { forecaster } = registered('ar');
const hash = await writeForecaster(artefact, forecaster);

test('an artefact goes into the register under the hash of its bytes, with the channel and unit of plans', async () => {
  const { stored, artefact: bytes } = await readForRegister({ artefact, name: 'river', channel: 'level' });
  assert.equal(stored.hash, hash);
  assert.equal(createHash('sha256').update(bytes).digest('hex'), hash);
  const { training, ...card } = stored.card;
  assert.deepEqual(card, { name: 'river', channel: 'level', unit: 'm', everyMs: 300_000, steps: 6 });
  assert.equal(training.kind, 'ar');
});

test('a name that plans could not write, and a unit that is not known or another, are refused', async () => {
  await assert.rejects(readForRegister({ artefact, name: '1 river' }), { code: 'NAME_INVALID' });
  await assert.rejects(readForRegister({ artefact, name: 'river', unit: 'km' }), { code: 'UNIT_DIFFERS' });
  const silent = path.join(folder, 'silent.forecast');
  const { unit: _unit, ...card } = forecaster.card;
  await writeForecaster(silent, { ...forecaster, card });
  const { code, stderr } = await tocsin(['forecast', 'add', '--artefact', silent, '--name', 'river']);
  assert.equal(code, 2);
  assert.match(stderr, /give --unit/);
});
