import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { placeInCache } from '../../embedded/cache.mjs';
import { eventually } from '../support/eventually.ts';
import { runProgram, temporaryDirectory } from './processes.ts';

test('a finished executable is placed whole, and nothing else stays', async (t) => {
  const cache = temporaryDirectory(t);
  const target = path.join(cache, 'server-1');

  await placeInCache(target, async (workshop) => {
    fs.writeFileSync(path.join(workshop, 'made'), 'whole');
    assert.equal(fs.existsSync(target), false);
    return path.join(workshop, 'made');
  });

  assert.deepEqual(fs.readdirSync(cache), ['server-1']);
  assert.equal(fs.readFileSync(target, 'utf8'), 'whole');
  fs.accessSync(target, fs.constants.X_OK);
});

test('a build that fails leaves no executable and no remains', async (t) => {
  const cache = temporaryDirectory(t);
  const failing = async (workshop: string): Promise<string> => {
    fs.writeFileSync(path.join(workshop, 'made'), 'ha');
    throw new Error('disk on fire');
  };

  await assert.rejects(placeInCache(path.join(cache, 'server-1'), failing), /disk on fire/);

  assert.deepEqual(fs.readdirSync(cache), []);
});

test('a build that is killed half-way is made anew, and its remains are swept', async (t) => {
  const cache = temporaryDirectory(t);
  const target = path.join(cache, 'server-1');
  const interrupted = runProgram(
    t,
    `
    import fs from 'node:fs';
    import { placeInCache } from './embedded/cache.mjs';
    await placeInCache(${JSON.stringify(target)}, async (workshop) => {
      fs.writeFileSync(workshop + '/made', 'ha');
      console.log(JSON.stringify(workshop));
      await new Promise((resolve) => setTimeout(resolve, 300_000));
      return workshop + '/made';
    });
    `,
  );
  const remains = (await interrupted.firstLine) as string;
  process.kill(interrupted.pid, 'SIGKILL');
  await interrupted.ended;
  assert.equal(fs.existsSync(target), false);
  assert.equal(fs.existsSync(remains), true);

  await placeInCache(target, async (workshop) => {
    fs.writeFileSync(path.join(workshop, 'made'), 'whole');
    return path.join(workshop, 'made');
  });

  assert.equal(fs.readFileSync(target, 'utf8'), 'whole');
  assert.deepEqual(fs.readdirSync(cache), ['server-1']);
});

test('two set-ups that want the same executable make it once', async (t) => {
  const cache = temporaryDirectory(t);
  const target = path.join(cache, 'server-1');
  const diary = path.join(temporaryDirectory(t), 'builds');
  const source = `
    import fs from 'node:fs';
    import { placeInCache } from './embedded/cache.mjs';
    await placeInCache(${JSON.stringify(target)}, async (workshop) => {
      fs.appendFileSync(${JSON.stringify(diary)}, 'build\\n');
      await new Promise((resolve) => setTimeout(resolve, 500));
      fs.writeFileSync(workshop + '/made', 'whole');
      return workshop + '/made';
    });
    console.log(JSON.stringify(fs.readFileSync(${JSON.stringify(target)}, 'utf8')));
  `;
  const both = [runProgram(t, source), runProgram(t, source)];

  assert.deepEqual(await Promise.all(both.map(({ firstLine }) => firstLine)), ['whole', 'whole']);
  await Promise.all(both.map(({ ended }) => ended));

  assert.equal(fs.readFileSync(diary, 'utf8'), 'build\n');
  assert.deepEqual(fs.readdirSync(cache), ['server-1']);
});

test('the second set-up is told whom it waits for', async (t) => {
  const target = path.join(temporaryDirectory(t), 'server-1');
  let finish: (file: string) => void;
  let began = false;
  const notes: string[] = [];
  const first = placeInCache(target, (workshop) => {
    began = true;
    return new Promise((resolve) => {
      finish = () => {
        fs.writeFileSync(path.join(workshop, 'made'), 'whole');
        resolve(path.join(workshop, 'made'));
      };
    });
  });
  await eventually('the first has begun', () => began);

  const second = placeInCache(
    target,
    () => assert.fail('built twice'),
    (line) => void notes.push(line),
  );
  await eventually('the second waits', () => notes.length > 0);
  finish!('');
  await Promise.all([first, second]);

  assert.deepEqual(notes, [`waiting for process ${process.pid}, which makes it`]);
});
