import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { ROOT, loadConfig, masked } from '../../bin/config.ts';
import { CommandFailed, EXIT } from '../../bin/exit-codes.ts';
import { profilesAsToml, temporalConnection } from '../../bin/temporal-profile.ts';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-config-'));
after(() => fs.rmSync(directory, { recursive: true, force: true }));

let files = 0;
function yaml(text: string): string {
  const file = path.join(directory, `${files++}.yaml`);
  fs.writeFileSync(file, text);
  return file;
}

function refusal(text: string, env: NodeJS.ProcessEnv = {}): string {
  const file = yaml(text);
  try {
    loadConfig({ file, env });
  } catch (error) {
    assert.ok(error instanceof CommandFailed);
    assert.equal(error.exitCode, EXIT.usage);
    return error.message.replaceAll(path.basename(file), 'F');
  }
  assert.fail('it was not refused');
}

describe('settings', () => {
  it('have a default for every key', () => {
    const { config, entries } = loadConfig({ file: yaml(''), env: {} });
    assert.equal(config.listen.http, 8080);
    assert.equal(config.listen.grpc, 50_051);
    assert.equal(config.listen.metrics, 9464);
    assert.equal(config.listen.temporal, 7233);
    assert.equal(config.listen.temporal_ui, 8233);
    assert.equal(config.worker.shutdown_grace, 70_000);
    assert.ok(entries.every(({ source }) => source === 'default'));
  });

  it('of the file that comes with Tocsin are the defaults', () => {
    const shipped = loadConfig({ file: path.join(ROOT, 'temporal.yaml'), env: {} }).config;
    const { profile, ...defaults } = loadConfig({ file: yaml(''), env: {} }).config;
    assert.deepEqual({ ...shipped, profile }, { ...defaults, profile });
    assert.deepEqual(shipped.profile['default'], profile['default']);
  });

  it('come from the file, and the environment wins over it; each names its source', () => {
    const file = yaml('listen:\n  http: 9000\n  grpc: 9001\n');
    const { config, entries } = loadConfig({ file, env: { TOCSIN_PORT_GRPC: '0' } });
    assert.equal(config.listen.http, 9000);
    assert.equal(config.listen.grpc, 0);
    const sources = Object.fromEntries(entries.map(({ key, source }) => [key, source]));
    assert.equal(sources['listen.http'], `${path.basename(file)}:2`);
    assert.equal(sources['listen.grpc'], 'TOCSIN_PORT_GRPC');
    assert.equal(sources['listen.metrics'], 'default');
  });

  it('that are unknown are refused with their line and the nearest known one', () => {
    assert.equal(
      refusal('worker:\n  shutdown_grce: 3s\n'),
      'F:2 worker.shutdown_grce is not a setting. Did you mean shutdown_grace?',
    );
    assert.match(
      refusal('colour: red\n'),
      /^F:1 colour is not a setting\. Remove it, or use one of: profile, /,
    );
    assert.match(refusal('profile:\n  default: { adress: x }\n'), /Did you mean address\?/);
  });

  const refused: readonly (readonly [string, string, NodeJS.ProcessEnv, RegExp])[] = [
    ['a port that is none', 'listen: { http: 99999 }', {}, /^F:1 listen\.http is refused: /],
    ['a duration without a unit', 'worker: { shutdown_grace: "70" }', {}, /must be a duration such as 70s/],
    ['another task queue', 'task_queues: { plans: mine }', {}, /must be tocsin-plans: running incidents/],
    ['text that is not YAML', 'listen: [', {}, /:\d+:\d+ is not YAML/],
    ['a key given twice', 'tenant: a\ntenant: b\n', {}, /is not YAML: Map keys must be unique/],
    [
      'a port variable that is no number',
      '',
      { TOCSIN_PORT_HTTP: 'x' },
      /^TOCSIN_PORT_HTTP must be a whole number/,
    ],
    [
      'a port variable out of range',
      '',
      { TOCSIN_PORT_HTTP: '70000' },
      /^TOCSIN_PORT_HTTP \(listen\.http\) is refused/,
    ],
    [
      'a profile that is not there',
      'profile: { default: {} }',
      { TOCSIN_PROFILE: 'prod' },
      /no profile prod .* default/,
    ],
  ];
  for (const [what, text, env, words] of refused) {
    it(`refuse ${what}`, () => assert.match(refusal(text, env), words));
  }

  it('refuse a file that was asked for and is not there', () => {
    assert.throws(
      () => loadConfig({ file: path.join(directory, 'nowhere.yaml'), env: {} }),
      /cannot be read \(ENOENT\)\. Correct TOCSIN_CONFIG/,
    );
  });

  it('are shown without secrets', () => {
    const env = { TEMPORAL_API_KEY: 'secret-key', MONGODB_URI: 'mongodb://user:pass@db.example/tocsin' };
    const shown = loadConfig({ file: yaml(''), env }).entries.map((entry) => String(masked(entry)));
    assert.ok(shown.includes('mongodb://****@db.example/tocsin'));
    assert.ok(shown.every((value) => !value.includes('secret-key') && !value.includes('pass')));
  });

  it('name the variables that mean nothing', () => {
    const env = { TOCSIN_PORT_HTPP: '1', TOCSIN_KEY: 'k', TOCSIN_DATA: 'd' };
    assert.deepEqual(loadConfig({ file: yaml(''), env }).unknownVariables, ['TOCSIN_PORT_HTPP']);
  });

  it('mention every variable of .env.example, and the other way round', () => {
    const text = fs.readFileSync(path.join(ROOT, '.env.example'), 'utf8');
    const named = [...text.matchAll(/^#([A-Z_]+)=/gm)].map(([, name]) => name!);
    const env = Object.fromEntries(
      named.filter((name) => name.startsWith('TOCSIN_')).map((name) => [name, '']),
    );
    assert.deepEqual(loadConfig({ file: yaml(''), env }).unknownVariables, []);
  });
});

describe('the Temporal connection', () => {
  it('takes the chosen profile with TEMPORAL_* over it', () => {
    const file = yaml(
      'profile:\n  default: { address: "a:1", namespace: one }\n  other: { address: "b:2" }\n',
    );
    const env = { TOCSIN_PROFILE: 'other', TEMPORAL_NAMESPACE: 'two' };
    const { connectionOptions, namespace } = temporalConnection(loadConfig({ file, env }), env);
    assert.equal(connectionOptions.address, 'b:2');
    assert.equal(namespace, 'two');
  });

  it('is written for the Temporal CLI as TOML', () => {
    const file = yaml('profile:\n  default: { address: "a:1", tls: { client_cert_path: t.crt } }\n');
    const toml = profilesAsToml(loadConfig({ file, env: {} }));
    assert.match(toml, /^\[profile\.default\]\naddress = "a:1"/);
    assert.match(toml, /\[profile\.default\.tls\]\nclient_cert_path = "t\.crt"/);
  });
});
