import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { TocsinError } from '../../domain/errors.ts';
import type { Sensor, Stores } from '../../domain/ports.ts';
import {
  AWKWARD,
  evaluation,
  fact,
  HUALIEN,
  incidentView,
  planVersion,
  principal,
  proposal,
  sensor,
  unit,
} from './examples.ts';

const refusedAs =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof TocsinError && error.code === code && !error.retryable;

const times = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/**
 * What the domain may rely on, whatever stands behind the ports.
 *
 * @param open gives stores over an empty database
 */
export function holdToStoreContract(backend: string, open: () => Promise<Stores>): void {
  const check = (name: string, body: (stores: Stores) => Promise<void>): void => {
    test(`${backend}: ${name}`, async () => body(await open()));
  };

  check('a plan version is published once and read back as it was', async ({ plans }) => {
    const version = { ...planVersion('earthquake', 'h1'), parent: 'h0', proposal: 'earthquake/1' };
    assert.equal(await plans.publish(version), 'inserted');
    assert.equal(await plans.publish(version), 'exists');
    assert.deepEqual(await plans.version('earthquake', 'h1'), version);
    assert.equal(await plans.version('earthquake', 'h2'), null);
    assert.equal(await plans.version('gas-leak', 'h1'), null);
  });

  check('plan versions are listed by plan, oldest first', async ({ plans }) => {
    assert.deepEqual(await plans.plans(), []);
    assert.deepEqual(await plans.versions('earthquake'), []);
    await plans.publish(planVersion('earthquake', 'b', 20));
    await plans.publish(planVersion('earthquake', 'a', 10));
    await plans.publish(planVersion('gas-leak', 'c', 15));
    assert.deepEqual(await plans.plans(), ['earthquake', 'gas-leak']);
    const hashes = (await plans.versions('earthquake')).map(({ hash }) => hash);
    assert.deepEqual(hashes, ['a', 'b']);
  });

  check('the last activation of a plan is the one in force', async ({ plans }) => {
    assert.equal(await plans.active('earthquake'), null);
    for (const i of times(11)) {
      const activation = { planId: 'earthquake', hash: `h${i}`, by: 'plan-board', reason: 'drill', atMs: i };
      assert.deepEqual(await plans.activate(activation), { ...activation, n: i + 1 });
    }
    await plans.activate({ planId: 'earthquake-2', hash: 'other', by: 'x', reason: '', atMs: 0 });
    assert.equal((await plans.active('earthquake'))?.hash, 'h10');
    const numbers = (await plans.activations('earthquake')).map(({ n }) => n);
    assert.deepEqual(
      numbers,
      times(11).map((i) => i + 1),
    );
  });

  check('activations that race get different numbers without a gap', async ({ plans }) => {
    const raced = await Promise.all(
      times(12).map((i) =>
        plans.activate({ planId: 'earthquake', hash: `h${i}`, by: 'x', reason: '', atMs: i }),
      ),
    );
    const numbers = raced.map(({ n }) => n).sort((a, b) => a - b);
    assert.deepEqual(
      numbers,
      times(12).map((i) => i + 1),
    );
    const kept = await plans.activations('earthquake');
    assert.deepEqual(
      kept,
      [...raced].sort((a, b) => a.n - b.n),
    );
  });

  check('facts come back in order and exactly as recorded', async ({ facts }) => {
    const id = 'incident/demo/earthquake/hualien/20180204T131252Z';
    const record = [fact(id, 0, AWKWARD), ...times(120).map((i) => fact(id, i + 1))];
    await facts.append(record.slice(0, 3));
    await facts.append(record.slice(3));
    await facts.append([fact(`${id}0`, 0), fact('incident/other', 0)]);
    assert.deepEqual(await facts.of(id), record);
    assert.deepEqual(await facts.of('incident/nobody'), []);
  });

  check('appending the same facts again changes nothing', async ({ facts }) => {
    const record = times(5).map((i) => fact('incident/1', i));
    await facts.append(record);
    await facts.append(record);
    await facts.append([...record.slice(3), fact('incident/1', 5)]);
    assert.equal((await facts.of('incident/1')).length, 6);
    await facts.append([]);
  });

  check('another fact under a used number is refused and the first stays', async ({ facts }) => {
    await facts.append([fact('incident/1', 0)]);
    const other = fact('incident/1', 0, { seq: 'changed' });
    await assert.rejects(facts.append([other, fact('incident/1', 1)]), refusedAs('FACT_CONFLICT'));
    assert.deepEqual((await facts.of('incident/1'))[0], fact('incident/1', 0));
  });

  check('a fact beyond a gap is not shown before the gap is filled', async ({ facts }) => {
    await facts.append([fact('incident/1', 0), fact('incident/1', 2)]);
    assert.equal((await facts.of('incident/1')).length, 1);
    await facts.append([fact('incident/1', 1)]);
    assert.equal((await facts.of('incident/1')).length, 3);
  });

  check('a fact that JSON cannot carry is refused, with nothing of its batch stored', async ({ facts }) => {
    const poison = fact('incident/1', 1, { value: Number.NaN });
    await assert.rejects(facts.append([fact('incident/1', 0), poison]), refusedAs('NOT_JSON'));
    assert.deepEqual(await facts.of('incident/1'), []);
  });

  check('an incident is read back whole and replaced whole', async ({ incidents }) => {
    const first = incidentView('incident/1');
    assert.equal(await incidents.get('incident/1'), null);
    await incidents.put(first);
    await incidents.put(first);
    assert.deepEqual(await incidents.get('incident/1'), first);
    const later = incidentView('incident/1', { level: 'I', updatedAtMs: 9_000 });
    await incidents.put(later);
    assert.deepEqual(await incidents.get('incident/1'), later);
    assert.equal((await incidents.list()).length, 1);
  });

  check('incidents are listed newest first, by tenant and by openness', async ({ incidents }) => {
    for (const i of times(5)) await incidents.put(incidentView(`incident/${i}`, { openedAtMs: i * 1_000 }));
    await incidents.put(incidentView('incident/1', { openedAtMs: 1_000, phase: 'closed' }));
    await incidents.put(incidentView('incident/9', { openedAtMs: 500, tenant: 'other' }));
    const listed = async (filter?: Parameters<typeof incidents.list>[0]): Promise<string> =>
      (await incidents.list(filter)).map(({ incidentId }) => incidentId.slice(-1)).join('');
    assert.equal(await listed(), '432190');
    assert.equal(await listed({ tenant: 'demo' }), '43210');
    assert.equal(await listed({ open: true }), '43290');
    assert.equal(await listed({ tenant: 'demo', open: false }), '1');
    assert.equal(await listed({ limit: 2 }), '43');
    assert.equal(await listed({ tenant: 'nobody' }), '');
  });

  check('an evaluation is kept once, and read by plan in order of closing', async ({ evaluations }) => {
    assert.equal(await evaluations.insert(evaluation('incident/2', 'earthquake', 20)), 'inserted');
    assert.equal(await evaluations.insert(evaluation('incident/1', 'earthquake', 10)), 'inserted');
    assert.equal(await evaluations.insert(evaluation('incident/3', 'gas-leak', 5)), 'inserted');
    assert.equal(await evaluations.insert(evaluation('incident/1', 'earthquake', 99)), 'exists');
    assert.deepEqual(await evaluations.of('earthquake'), [
      evaluation('incident/1', 'earthquake', 10),
      evaluation('incident/2', 'earthquake', 20),
    ]);
    assert.deepEqual(await evaluations.of('flood'), []);
  });

  check('proposals are kept once and listed by number', async ({ proposals }) => {
    for (const n of [2, 10, 1]) assert.equal(await proposals.propose(proposal('earthquake', n)), 'inserted');
    assert.equal(await proposals.propose(proposal('earthquake', 2)), 'exists');
    await proposals.propose(proposal('gas-leak', 1));
    assert.deepEqual(await proposals.get('earthquake/10'), proposal('earthquake', 10));
    assert.equal(await proposals.get('earthquake/3'), null);
    const ids = async (planId?: string): Promise<string[]> =>
      (await proposals.list(planId)).map(({ id }) => id);
    assert.deepEqual(await ids('earthquake'), ['earthquake/1', 'earthquake/2', 'earthquake/10']);
    assert.deepEqual(await ids(), ['earthquake/1', 'earthquake/2', 'earthquake/10', 'gas-leak/1']);
  });

  check('of decisions that race on one proposal exactly one stands', async ({ proposals }) => {
    const decisions = times(10).map((i) => ({
      proposalId: 'earthquake/1',
      approve: i % 2 === 0,
      by: `member-${i}`,
      reason: 'seen',
      atMs: i,
    }));
    const answers = await Promise.all(decisions.map((decision) => proposals.decide(decision)));
    const winners = decisions.filter((_, i) => answers[i] === 'inserted');
    assert.equal(winners.length, 1);
    assert.deepEqual(await proposals.decision('earthquake/1'), winners[0]);
    assert.equal(await proposals.decision('earthquake/2'), null);
  });

  check('a recogniser of several megabytes comes back byte for byte', async ({ recognisers }) => {
    const artefact = new Uint8Array(randomBytes(2_500_001));
    const stored = { name: 'notice-forest', hash: 'h1', artefact, card: AWKWARD, atMs: 7 };
    assert.equal(await recognisers.insert(stored), 'inserted');
    assert.equal(await recognisers.insert(stored), 'exists');
    const read = await recognisers.get('notice-forest', 'h1');
    assert.equal(Buffer.compare(read!.artefact, artefact), 0);
    assert.deepEqual({ ...read, artefact }, stored);
    assert.equal(await recognisers.get('notice-forest', 'h2'), null);
    assert.deepEqual(await recognisers.names(), ['notice-forest']);
  });

  check('forecasters have a register of their own', async ({ recognisers, forecasters }) => {
    const stored = { name: 'river', hash: 'h1', artefact: Uint8Array.of(1, 2), card: { unit: 'm' }, atMs: 5 };
    assert.equal(await forecasters.insert(stored), 'inserted');
    await forecasters.activate({ name: 'river', hash: 'h1', by: 'a', reason: 'b', atMs: 6 });
    assert.deepEqual(await forecasters.get('river', 'h1'), stored);
    assert.deepEqual(await forecasters.names(), ['river']);
    assert.deepEqual(await forecasters.active('river'), { hash: 'h1', n: 1 });
    assert.equal(await recognisers.get('river', 'h1'), null);
    assert.deepEqual(await recognisers.names(), []);
    assert.equal(await recognisers.active('river'), null);
  });

  check('the versions of a name are listed without their bytes, oldest first', async ({ forecasters }) => {
    const artefact = Uint8Array.of(1);
    for (const [name, hash, atMs] of [
      ['river', 'h2', 9],
      ['river', 'h1', 9],
      ['river', 'h3', 5],
      ['lake', 'h1', 1],
    ] as const)
      await forecasters.insert({ name, hash, artefact, card: { ...AWKWARD, hash }, atMs });
    assert.deepEqual(await forecasters.versions('river'), [
      { name: 'river', hash: 'h3', card: { ...AWKWARD, hash: 'h3' }, atMs: 5 },
      { name: 'river', hash: 'h1', card: { ...AWKWARD, hash: 'h1' }, atMs: 9 },
      { name: 'river', hash: 'h2', card: { ...AWKWARD, hash: 'h2' }, atMs: 9 },
    ]);
    assert.deepEqual(await forecasters.versions('sea'), []);
  });

  check('an empty artefact is kept, one beyond 8 MB is refused', async ({ recognisers }) => {
    const empty = { name: 'a', hash: 'h', artefact: new Uint8Array(), card: {}, atMs: 0 };
    await recognisers.insert(empty);
    assert.deepEqual(await recognisers.get('a', 'h'), empty);
    const large = { ...empty, name: 'b', artefact: new Uint8Array(8 * 1024 * 1024 + 1) };
    await assert.rejects(recognisers.insert(large), refusedAs('RECOGNISER_TOO_LARGE'));
    assert.deepEqual(await recognisers.names(), ['a']);
  });

  check('a forecaster beyond 8 MB is refused as one', async ({ forecasters }) => {
    const artefact = new Uint8Array(8 * 1024 * 1024 + 1);
    await assert.rejects(
      forecasters.insert({ name: 'river', hash: 'h', artefact, card: {}, atMs: 0 }),
      (error) =>
        refusedAs('FORECASTER_TOO_LARGE')(error) &&
        /^A forecaster has at most/.test((error as Error).message),
    );
    assert.deepEqual(await forecasters.names(), []);
  });

  check('one person labels an incident once, another may say otherwise', async ({ labels }) => {
    const said = (by: string, label: string, atMs: number) => ({
      incidentId: 'incident/demo/earthquake/a/1',
      label,
      by,
      reason: 'seen',
      atMs,
    });
    assert.equal(await labels.insert(said('ana', 'earthquake', 2)), 'inserted');
    assert.equal(await labels.insert(said('ana', 'explosion', 3)), 'exists');
    assert.equal(await labels.insert(said('bo', 'explosion', 1)), 'inserted');
    assert.deepEqual(await labels.get('incident/demo/earthquake/a/1', 'ana'), said('ana', 'earthquake', 2));
    assert.equal(await labels.get('incident/demo/earthquake/a/1', 'cy'), null);
    assert.deepEqual(await labels.list(), [said('bo', 'explosion', 1), said('ana', 'earthquake', 2)]);
  });

  check('the last activated recogniser of a name votes', async ({ recognisers }) => {
    assert.equal(await recognisers.active('notice-svm'), null);
    for (const i of times(4)) {
      const activation = { name: 'notice-svm', hash: `h${i}`, by: 'admin', reason: 'trained', atMs: i };
      assert.equal(await recognisers.activate(activation), i + 1);
    }
    assert.deepEqual(await recognisers.active('notice-svm'), { hash: 'h3', n: 4 });
    assert.deepEqual(
      await recognisers.activations('notice-svm'),
      times(4).map((i) => ({ n: i + 1, hash: `h${i}`, by: 'admin', reason: 'trained', atMs: i })),
    );
    assert.deepEqual(await recognisers.activations('notice-forest'), []);
  });

  check('the roster is put repeatedly and read by district', async ({ roster }) => {
    await roster.put([unit('b'), unit('a'), unit('c', 'butte')]);
    await roster.put([unit('a', 'hualien', 60)]);
    await roster.put([]);
    assert.deepEqual(await roster.units('hualien'), [unit('a', 'hualien', 60), unit('b')]);
    assert.equal((await roster.units()).length, 3);
    assert.deepEqual(await roster.units('nowhere'), []);
  });

  check('places and sensors are put repeatedly and listed by id', async ({ sites }) => {
    await sites.putPlace({ ...HUALIEN, id: 'tower', kind: 'building' });
    await sites.putPlace(HUALIEN);
    await sites.putPlace({ ...HUALIEN, population: 5 });
    const places = await sites.places();
    assert.deepEqual(
      places.map(({ id, population }) => [id, population]),
      [
        ['hualien', 5],
        ['tower', 100_000],
      ],
    );
    await sites.putSensor(sensor('s2'));
    await sites.putSensor(sensor('s1'));
    await sites.putSensor(sensor('s1', 50));
    assert.deepEqual(await sites.sensors(), [sensor('s1', 50), sensor('s2')]);
    assert.deepEqual(await sites.sensor('s1'), sensor('s1', 50));
    assert.equal(await sites.sensor('s'), null);
  });

  check('sensors are read in parts, each once, while one of them is written', async ({ sites }) => {
    for await (const part of sites.sensorsInParts()) assert.fail(`A part of nothing: ${part.length}`);
    const sensors = Array.from({ length: 150 }, (_, n) => sensor(`s${n}`));
    for (const one of sensors) await sites.putSensor(one);
    const parts: (readonly Sensor[])[] = [];
    for await (const part of sites.sensorsInParts()) {
      parts.push(part);
      await sites.putSensor(sensor('s75', 50));
    }
    assert.deepEqual(
      parts.map(({ length }) => length),
      [100, 50],
    );
    const read = parts.flat().filter(({ id }) => id !== 's75');
    assert.deepEqual(new Set(read), new Set(sensors.filter(({ id }) => id !== 's75')));
    assert.equal(read.length, 149);
    for await (const part of sites.sensorsInParts()) {
      assert.equal(part.length, 100);
      break;
    }
    assert.equal((await sites.sensors()).length, 150);
  });

  check('a principal is found by the hash of its present key only', async ({ principals }) => {
    await principals.put(principal('viewer', 'hash-1'));
    await principals.put({ ...principal('vendor-gas', 'hash-2'), vendor: 'gas' });
    assert.equal((await principals.byKeyHash('hash-2'))?.vendor, 'gas');
    assert.equal(await principals.byKeyHash('hash-9'), null);
    await principals.put(principal('viewer', 'hash-3'));
    assert.equal(await principals.byKeyHash('hash-1'), null);
    assert.deepEqual(await principals.byKeyHash('hash-3'), principal('viewer', 'hash-3'));
    assert.deepEqual(
      (await principals.list()).map(({ id }) => id),
      ['vendor-gas', 'viewer'],
    );
  });

  check('revoking is a put with a time, and a key never changes hands', async ({ principals }) => {
    await principals.put(principal('viewer', 'hash-1'));
    await principals.put({ ...principal('viewer', 'hash-1'), revokedAtMs: 5 });
    assert.equal((await principals.byKeyHash('hash-1'))?.revokedAtMs, 5);
    await assert.rejects(principals.put(principal('thief', 'hash-1')), refusedAs('PRINCIPAL_KEY_TAKEN'));
    assert.equal((await principals.list()).length, 1);
  });

  check('of claims that race on one epoch exactly one holds it', async ({ fence }) => {
    const claim = (epoch: number, holder: string) =>
      fence.claim({ unit: 'rescue-1', epoch, holder, atMs: 1 });
    const answers = await Promise.all(times(20).map((i) => claim(7, `gateway-${i}`)));
    assert.equal(answers.filter((answer) => answer === 'inserted').length, 1);
    assert.equal(await fence.holder('rescue-1', 7), `gateway-${answers.indexOf('inserted')}`);
    assert.equal(await claim(8, 'tombstone'), 'inserted');
    assert.equal(await fence.holder('rescue-1', 9), null);
  });
}
