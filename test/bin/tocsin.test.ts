import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { Command } from 'commander';
import { NOUNS } from '../../bin/nouns.ts';
import { tocsin } from './command-line.ts';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-cli-'));
after(() => fs.rmSync(directory, { recursive: true, force: true }));
const env = { TOCSIN_DATA: directory, TOCSIN_URL: 'http://127.0.0.1:9' };

const ROLES = ['ingest', 'api', 'worker', 'jobs'];

const leavesOf = (commands: readonly Command[]): Command[] =>
  commands.flatMap((command) => (command.commands.length === 0 ? [command] : leavesOf(command.commands)));

function helpOf(command: Command): string {
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  return help;
}

describe('tocsin', () => {
  it('lists its nouns and its exit codes', async () => {
    const { code, stdout } = await tocsin(['--help'], env);
    assert.equal(code, 0);
    for (const noun of Object.keys(NOUNS)) assert.match(stdout, new RegExp(`^ {2}${noun} `, 'm'));
    assert.match(stdout, /Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 refused, 5 unavailable/);
  });

  it('gives every command an example, and the scripts their --json', async () => {
    for (const [noun, { load }] of Object.entries(NOUNS)) {
      const program = new Command('tocsin');
      (await load()).declare(program, noun);
      for (const command of leavesOf(program.commands.filter((one) => one.name() === noun))) {
        const help = helpOf(command);
        assert.match(help, /Example:\n {2}\$ .*tocsin/, help);
        if (!ROLES.includes(noun)) assert.match(help, /--json/, help);
      }
    }
  });

  const usage: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['an unknown noun', ['incidnt'], /Did you mean incident\?/],
    ['an unknown command', ['plan', 'chck'], /Did you mean check\?/],
    ['an unknown option', ['plan', 'list', '--nope'], /unknown option '--nope'/],
    ['a missing argument', ['plan', 'check'], /missing required argument 'file'/],
    ['a speed that is none', ['start', '--speed', 'fast'], /above 0 \(1440 is a day a minute\), or max/],
    ['a duration that is none', ['start', '--hold', '5'], /a duration such as 30s/],
    ['a decision that is none', ['plan', 'decide', 'x/1', '--reason', 'r'], /--approve or --refuse/],
    ['somebody without a key', ['plan', 'list', '--as', 'nobody'], /Start Tocsin once/],
  ];
  for (const [what, args, words] of usage) {
    it(`refuses ${what} with exit code 2`, async () => {
      const { code, stderr, stdout } = await tocsin(args, env);
      assert.equal(code, 2);
      assert.match(stderr, words);
      assert.equal(stdout, '');
    });
  }

  it('says with exit code 5 that the API is not there, and how to start it', async () => {
    const { code, stderr } = await tocsin(['incident', 'list'], env);
    assert.equal(code, 5);
    assert.match(stderr, /The Tocsin API at http:\/\/127\.0\.0\.1:9 .*npm start/);
  });

  it('says a failure as one line of JSON when asked for JSON', async () => {
    const { code, stderr } = await tocsin(['incident', 'list', '--json'], env);
    assert.equal(code, 5);
    assert.equal((JSON.parse(stderr) as { error: { code: string } }).error.code, 'API_UNREACHABLE');
  });

  it('says with exit code 5 that no store is known', async () => {
    const { code, stderr } = await tocsin(['audit', 'export', 'incident/x'], env);
    assert.equal(code, 5);
    assert.match(stderr, /Set|give a MongoDB address with MONGODB_URI/);
  });

  it('says with exit code 3 that a plan file is not there', async () => {
    const { code, stderr } = await tocsin(['plan', 'check', 'plans/none.ts'], env);
    assert.equal(code, 3);
    assert.match(stderr, /There is no plan file/);
  });

  it('refuses a wrong setting before it does anything', async () => {
    const { code, stderr } = await tocsin(['start', '--once'], { ...env, TOCSIN_PORT_HTTP: 'x' });
    assert.equal(code, 2);
    assert.match(stderr, /TOCSIN_PORT_HTTP must be a whole number/);
    assert.deepEqual(fs.readdirSync(directory), []);
  });

  it('shows settings as JSON, one object on one line', async () => {
    const { code, stdout } = await tocsin(['config', 'show', '--json'], env);
    assert.equal(code, 0);
    const { settings } = JSON.parse(stdout) as { settings: { key: string; source: string }[] };
    assert.ok(settings.some(({ key }) => key === 'listen.http'));
  });

  it('refuses to delete data of servers that it does not run', async () => {
    const { code, stderr } = await tocsin(['start', '--fresh'], {
      ...env,
      TEMPORAL_ADDRESS: '127.0.0.1:9',
      TOCSIN_PORT_HTTP: '0',
      TOCSIN_PORT_GRPC: '0',
      TOCSIN_PORT_METRICS: '0',
    });
    assert.equal(code, 2);
    assert.match(stderr, /With --fresh the data of the embedded servers is deleted/);
  });
});
