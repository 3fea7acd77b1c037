import fs from 'node:fs';
import path from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { INGEST_LIMITS } from '../api/ingest/limits.ts';
import {
  DEFAULT_TOKEN_ALGORITHMS,
  TOKEN_ALGORITHMS,
  TOKEN_LIFETIME_AT_MOST_MS,
} from '../api/ingest/token-rules.ts';
import { TASK_QUEUE_PLANS, TASK_QUEUE_RECOGNITION, TASK_QUEUE_TRAINING } from '../workflows/contract.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { CommandFailed, EXIT } from './exit-codes.ts';

/** The project's root directory. */
export const ROOT = path.resolve(import.meta.dirname, '..');

const port = z.number().int().min(0).max(65_535);
const duration = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, 'must be a duration such as 70s, 15m or 6h')
  .transform((text) => parseDuration(text)!);

/** A duration with bounds, in milliseconds. */
const between = (lowMs: number, highMs: number) =>
  duration.refine(
    (ms) => ms >= lowMs && ms <= highMs,
    `must be from ${formatDuration(lowMs)} to ${formatDuration(highMs)}`,
  );
const whole = (low: number, high: number) => z.number().int().min(low).max(high);

const tls = z.strictObject({
  disabled: z.boolean().optional(),
  server_name: z.string().optional(),
  client_cert_path: z.string().optional(),
  client_cert_data: z.string().optional(),
  client_key_path: z.string().optional(),
  client_key_data: z.string().optional(),
  server_ca_cert_path: z.string().optional(),
  server_ca_cert_data: z.string().optional(),
});

/** The keys of Temporal's own `temporal.toml`. */
const profile = z.strictObject({
  address: z.string().optional(),
  namespace: z.string().optional(),
  api_key: z.string().optional(),
  tls: tls.optional(),
  grpc_meta: z.record(z.string(), z.string()).optional(),
});

// Names of task queues are kept in histories: they are written out to be seen, not to be changed.
const durable = (name: string) =>
  z.literal(name, { error: `must be ${name}: running incidents wait on that queue` });

const limits = INGEST_LIMITS;

/** gRPC ingestion: who is let in, and what they may do there. */
const ingest = z.strictObject({
  /** Files in PEM. Absent: plain text, for loopback or behind something that ends TLS. */
  tls: z
    .strictObject({
      certificate: z.string().min(1),
      key: z.string().min(1),
      /** Authority of the clients' certificates; given, every client must show one. */
      client_authority: z.string().min(1).optional(),
      /** A certificate alone is enough: calls need no key and no token. */
      certificate_alone: z.boolean().default(false),
      /** DNS or URI name in a certificate to principal; a name that is not here stands for itself. */
      subjects: z.record(z.string(), z.string()).default({}),
    })
    .refine((set) => set.client_authority !== undefined || !set.certificate_alone, {
      path: ['certificate_alone'],
      error: 'needs client_authority',
    })
    .optional(),
  /** Plain text beyond loopback: something in front ends TLS, and nothing else reaches the port. */
  allow_plaintext: z.boolean().default(false),
  /** JSON Web Tokens. Absent: API keys only. */
  tokens: z
    .strictObject({
      /** File or https: address of the JSON Web Key Set. */
      jwks: z
        .string()
        .min(1)
        .refine(
          (text) => !/^[a-z][a-z0-9+.-]+:/i.test(text) || /^https:\/\/[^/]/i.test(text),
          'must be a file or an https: address',
        ),
      audience: z.string().min(1),
      issuer: z.string().min(1).optional(),
      algorithms: z
        .array(z.enum(TOKEN_ALGORITHMS))
        .min(1)
        .default([...DEFAULT_TOKEN_ALGORITHMS]),
      life_at_most: between(10_000, TOKEN_LIFETIME_AT_MOST_MS).prefault('15m'),
    })
    .optional(),
  /** Of each vendor, all its streams together. */
  quota: z
    .strictObject({
      readings_per_second: whole(1, 1e9).default(limits.readingsPerSecondAtMost),
      bytes_per_second: whole(1_024, 2 ** 40).default(limits.bytesPerSecondAtMost),
    })
    .prefault({}),
  limits: z
    .strictObject({
      message_bytes: whole(1_024, 4 * 1024 * 1024).default(limits.messageBytesAtMost),
      items: whole(1, 100_000).default(limits.itemsAtMost),
      unacked_readings: whole(1, 1_000_000).default(limits.unackedReadingsAtMost),
      pending_bytes: whole(64 * 1024, 1024 ** 3).default(limits.pendingBytesAtMost),
      streams_per_connection: whole(1, 1_000).default(limits.streamsPerConnectionAtMost),
      streams_per_vendor: whole(1, 10_000).default(limits.streamsPerVendorAtMost),
      connections_per_vendor: whole(1, 10_000).default(limits.connectionsPerVendorAtMost),
      connection_age: between(60_000, 24 * 3_600_000).prefault(formatDuration(limits.connectionAgeAtMostMs)),
      connection_idle: between(10_000, 3_600_000).prefault(formatDuration(limits.connectionIdleAtMostMs)),
      silent_stream: between(1_000, 3_600_000).prefault(formatDuration(limits.silentStreamAfterMs)),
      // With what is kept of a key, and the answer of the store: within a minute.
      recheck: between(1_000, 40_000).prefault(formatDuration(limits.reauthenticateEveryMs)),
      late: between(3_600_000, 30 * 24 * 3_600_000).prefault(formatDuration(limits.lateAtMostMs)),
    })
    .prefault({}),
});

/** One schema for everything that can be set: `temporal.yaml`, then the environment over it. */
export const configSchema = z.strictObject({
  profile: z
    .record(z.string(), profile)
    .default({ default: { address: 'localhost:7233', namespace: 'tocsin' } }),
  task_queues: z
    .strictObject({
      plans: durable(TASK_QUEUE_PLANS).default(TASK_QUEUE_PLANS),
      recognition: durable(TASK_QUEUE_RECOGNITION).default(TASK_QUEUE_RECOGNITION),
      training: durable(TASK_QUEUE_TRAINING).default(TASK_QUEUE_TRAINING),
    })
    .prefault({}),
  worker: z
    .strictObject({
      shutdown_grace: duration.prefault('70s'),
      max_cached_workflows: z.number().int().min(0).default(200),
      recognition_slots: z.number().int().min(1).default(2),
    })
    .prefault({}),
  search_attributes: z
    .record(z.string(), z.enum(['Keyword', 'Int', 'Text', 'Double', 'Bool', 'Datetime', 'KeywordList']))
    .default({
      TocsinTenant: 'Keyword',
      TocsinHazard: 'Keyword',
      TocsinLevel: 'Int',
      TocsinPlan: 'Keyword',
      TocsinMode: 'Keyword',
    }),
  listen: z
    .strictObject({
      host: z.string().default('127.0.0.1'),
      http: port.default(8080),
      grpc: port.default(50_051),
      metrics: port.default(9464),
      temporal: port.default(7233),
      temporal_ui: port.default(8233),
      store: port.default(0),
    })
    .prefault({}),
  ingest: ingest.prefault({}),
  store: z
    .strictObject({
      uri: z.string().optional(),
      database: z
        .string()
        .regex(/^[a-z][a-z0-9_]{0,40}$/, 'must be lower-case letters, digits and _')
        .default('tocsin'),
    })
    .prefault({}),
  jobs: z
    .strictObject({
      export_closed_bundles: duration.prefault('15m'),
      check_disk: duration.prefault('5m'),
      watch_recognisers: duration.prefault('1h'),
      retrain_recognisers: between(1_000, 366 * 24 * 3_600_000).prefault('7d'),
    })
    .prefault({}),
  retraining: z
    .strictObject({
      /** Closed incidents that two people labelled alike and that can teach; with fewer nothing is trained. */
      incidents_at_least: whole(1, 1_000_000).default(20),
    })
    .prefault({}),
  retention: z
    .strictObject({
      namespace_days: z.number().int().min(1).default(30),
      bundle_before_expiry: z.boolean().default(true),
    })
    .prefault({}),
  /** Address of the Temporal web UI, for links; `tocsin start` knows its own. */
  temporal_ui: z.url({ protocol: /^https?$/ }).optional(),
  tenant: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}$/, 'must be lower-case letters, digits and -')
    .default('demo'),
  /** What the time of incidents follows: the time of day, or what their messages say (docs/adr/0008). */
  clock: z.enum(['wall', 'feed']).default('wall'),
  log: z
    .strictObject({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info') })
    .prefault({}),
});

export type Config = z.infer<typeof configSchema>;

/** Where one value came from. */
export interface ConfigEntry {
  /** `worker.shutdown_grace` */
  readonly key: string;
  readonly value: unknown;
  /** `default`, `temporal.yaml:4`, `TOCSIN_PORT_HTTP`. */
  readonly source: string;
  readonly secret: boolean;
}

export interface LoadedConfig {
  readonly config: Config;
  /** The configuration file, or null when there is none. */
  readonly file: string | null;
  /** Which profile of `profile` is in use. */
  readonly profileName: string;
  readonly entries: readonly ConfigEntry[];
  /** Environment variables that begin with TOCSIN_ and mean nothing to us. */
  readonly unknownVariables: readonly string[];
}

interface Variable {
  readonly key: readonly string[];
  readonly kind: 'text' | 'number' | 'boolean' | 'list';
}

/** Variables that override a key of the file. `PROFILE` stands for the profile in use. */
const VARIABLES: Readonly<Record<string, Variable>> = {
  TOCSIN_HOST: { key: ['listen', 'host'], kind: 'text' },
  TOCSIN_PORT_HTTP: { key: ['listen', 'http'], kind: 'number' },
  TOCSIN_PORT_GRPC: { key: ['listen', 'grpc'], kind: 'number' },
  TOCSIN_PORT_METRICS: { key: ['listen', 'metrics'], kind: 'number' },
  TOCSIN_PORT_TEMPORAL: { key: ['listen', 'temporal'], kind: 'number' },
  TOCSIN_PORT_TEMPORAL_UI: { key: ['listen', 'temporal_ui'], kind: 'number' },
  TOCSIN_PORT_STORE: { key: ['listen', 'store'], kind: 'number' },
  TOCSIN_TLS_CERTIFICATE: { key: ['ingest', 'tls', 'certificate'], kind: 'text' },
  TOCSIN_TLS_KEY: { key: ['ingest', 'tls', 'key'], kind: 'text' },
  TOCSIN_TLS_CLIENT_AUTHORITY: { key: ['ingest', 'tls', 'client_authority'], kind: 'text' },
  TOCSIN_ALLOW_PLAINTEXT: { key: ['ingest', 'allow_plaintext'], kind: 'boolean' },
  TOCSIN_TOKENS_JWKS: { key: ['ingest', 'tokens', 'jwks'], kind: 'text' },
  TOCSIN_TOKENS_AUDIENCE: { key: ['ingest', 'tokens', 'audience'], kind: 'text' },
  TOCSIN_TOKENS_ISSUER: { key: ['ingest', 'tokens', 'issuer'], kind: 'text' },
  TOCSIN_TOKENS_ALGORITHMS: { key: ['ingest', 'tokens', 'algorithms'], kind: 'list' },
  TOCSIN_DATABASE: { key: ['store', 'database'], kind: 'text' },
  TOCSIN_TEMPORAL_UI: { key: ['temporal_ui'], kind: 'text' },
  TOCSIN_TENANT: { key: ['tenant'], kind: 'text' },
  TOCSIN_CLOCK: { key: ['clock'], kind: 'text' },
  TOCSIN_LOG_LEVEL: { key: ['log', 'level'], kind: 'text' },
  TOCSIN_WORKER_SHUTDOWN_GRACE: { key: ['worker', 'shutdown_grace'], kind: 'text' },
  TOCSIN_WORKER_MAX_CACHED_WORKFLOWS: { key: ['worker', 'max_cached_workflows'], kind: 'number' },
  TOCSIN_WORKER_RECOGNITION_SLOTS: { key: ['worker', 'recognition_slots'], kind: 'number' },
  TOCSIN_JOBS_EXPORT_CLOSED_BUNDLES: { key: ['jobs', 'export_closed_bundles'], kind: 'text' },
  TOCSIN_JOBS_CHECK_DISK: { key: ['jobs', 'check_disk'], kind: 'text' },
  TOCSIN_JOBS_WATCH_RECOGNISERS: { key: ['jobs', 'watch_recognisers'], kind: 'text' },
  TOCSIN_JOBS_RETRAIN_RECOGNISERS: { key: ['jobs', 'retrain_recognisers'], kind: 'text' },
  TOCSIN_RETRAINING_INCIDENTS_AT_LEAST: { key: ['retraining', 'incidents_at_least'], kind: 'number' },
  TOCSIN_BUNDLE_BEFORE_EXPIRY: { key: ['retention', 'bundle_before_expiry'], kind: 'boolean' },
  MONGODB_URI: { key: ['store', 'uri'], kind: 'text' },
  TEMPORAL_ADDRESS: { key: ['profile', 'PROFILE', 'address'], kind: 'text' },
  TEMPORAL_NAMESPACE: { key: ['profile', 'PROFILE', 'namespace'], kind: 'text' },
  TEMPORAL_API_KEY: { key: ['profile', 'PROFILE', 'api_key'], kind: 'text' },
  TEMPORAL_TLS_SERVER_NAME: { key: ['profile', 'PROFILE', 'tls', 'server_name'], kind: 'text' },
  TEMPORAL_TLS_CLIENT_CERT_PATH: { key: ['profile', 'PROFILE', 'tls', 'client_cert_path'], kind: 'text' },
  TEMPORAL_TLS_CLIENT_KEY_PATH: { key: ['profile', 'PROFILE', 'tls', 'client_key_path'], kind: 'text' },
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: {
    key: ['profile', 'PROFILE', 'tls', 'server_ca_cert_path'],
    kind: 'text',
  },
};

/** Variables that are read elsewhere and stand for no key of the file. */
const OTHER_VARIABLES = [
  'TOCSIN_CONFIG',
  'TOCSIN_PROFILE',
  'TOCSIN_DATA',
  'TOCSIN_CACHE',
  'TOCSIN_OFFLINE',
  'TOCSIN_KEY',
  'TOCSIN_URL',
  'TOCSIN_AS',
  'TOCSIN_BUNDLES',
  'TOCSIN_FAILPOINT',
];

const SECRET = /(^|\.)(api_key|client_key_data|uri|grpc_meta\..+)$/;

export interface LoadConfigOptions {
  /** @default process.env */
  readonly env?: NodeJS.ProcessEnv;
  /** @default TOCSIN_CONFIG, else `temporal.yaml` in the project when it is there */
  readonly file?: string;
}

/**
 * Reads the configuration and says where each value came from.
 *
 * @throws CommandFailed (usage) that names the place and the remedy: a missing file that was asked for, text that
 * is not YAML, an unknown key, a value out of range, a variable that is not a number
 */
export function loadConfig(options: LoadConfigOptions = {}): LoadedConfig {
  const { env = process.env } = options;
  const asked = options.file ?? env['TOCSIN_CONFIG'];
  const file = asked === undefined ? path.join(ROOT, 'temporal.yaml') : path.resolve(asked);
  const found = readFile(file, asked !== undefined);
  const profileName = env['TOCSIN_PROFILE'] ?? env['TEMPORAL_PROFILE'] ?? 'default';
  const written = found?.values ?? {};
  const sources = new Map<string, string>();
  for (const key of leavesOf(written)) {
    sources.set(key.join('.'), `${path.basename(file)}:${found?.lineOf(key) ?? '?'}`);
  }

  const raw = structuredClone(written) as Record<string, unknown>;
  for (const [name, variable] of Object.entries(VARIABLES)) {
    const text = env[name];
    if (text === undefined || text === '') continue;
    const key = variable.key.map((part) => (part === 'PROFILE' ? profileName : part));
    setAt(raw, key, readVariable(name, variable, text));
    sources.set(key.join('.'), name);
  }

  const parsed = configSchema.safeParse(raw);
  if (!parsed.success) throw refuse(parsed.error, sources, found, file);
  const config = parsed.data;
  if (raw['profile'] !== undefined && !(profileName in config.profile)) {
    const names = Object.keys(config.profile).join(', ');
    throw new CommandFailed(
      EXIT.usage,
      'CONFIG_REFUSED',
      `There is no profile ${profileName} in ${path.basename(file)}. Choose one of: ${names}, with TOCSIN_PROFILE.`,
    );
  }
  return {
    config,
    file: found ? file : null,
    profileName,
    entries: leavesOf(config).map((key) => {
      const name = key.join('.');
      return {
        key: name,
        value: shown(key, valueAt(config, key)),
        source: sources.get(name) ?? 'default',
        secret: SECRET.test(name),
      };
    }),
    unknownVariables: Object.keys(env).filter(
      (name) => name.startsWith('TOCSIN_') && !(name in VARIABLES) && !OTHER_VARIABLES.includes(name),
    ),
  };
}

/** What a person may see of a value: a secret's presence, a connection string without its password. */
export function masked(entry: ConfigEntry): unknown {
  if (!entry.secret || typeof entry.value !== 'string') return entry.value;
  const withoutPassword = entry.value.replace(/^([a-z+]+:\/\/)[^/@]*@/, '$1****@');
  return entry.key.endsWith('uri') ? withoutPassword : '****';
}

/** The file's place for what this machine keeps: `TOCSIN_DATA`, by default `.tocsin` in the project. */
export function dataDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return env['TOCSIN_DATA'] ? path.resolve(env['TOCSIN_DATA']) : path.join(ROOT, '.tocsin');
}

interface Found {
  readonly values: unknown;
  lineOf(key: readonly PropertyKey[]): number | undefined;
}

function readFile(file: string, asked: boolean): Found | null {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (!asked && (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new CommandFailed(
      EXIT.usage,
      'CONFIG_REFUSED',
      `The configuration file ${file} cannot be read (${(error as NodeJS.ErrnoException).code}). Correct TOCSIN_CONFIG, or unset it to use temporal.yaml.`,
      { cause: error },
    );
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const [problem] = document.errors;
  if (problem) {
    const { line, col } = lines.linePos(problem.pos[0]);
    throw new CommandFailed(
      EXIT.usage,
      'CONFIG_REFUSED',
      `${file}:${line}:${col} is not YAML: ${problem.message.split('\n')[0]}`,
      { cause: problem },
    );
  }
  return {
    values: document.toJS() ?? {},
    lineOf(key) {
      const node: unknown = document.getIn(key, true);
      const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined;
      return Array.isArray(range) ? lines.linePos(range[0] as number).line : undefined;
    },
  };
}

function readVariable(name: string, { kind }: Variable, text: string): unknown {
  if (kind === 'text') return text;
  if (kind === 'list') return text.split(',').map((one) => one.trim());
  if (kind === 'number') {
    if (/^\d+$/.test(text)) return Number(text);
    throw new CommandFailed(
      EXIT.usage,
      'CONFIG_REFUSED',
      `${name} must be a whole number, and is "${text}".`,
    );
  }
  if (text === 'true' || text === 'false') return text === 'true';
  throw new CommandFailed(EXIT.usage, 'CONFIG_REFUSED', `${name} must be true or false, and is "${text}".`);
}

function refuse(
  error: z.ZodError,
  sources: ReadonlyMap<string, string>,
  found: Found | null,
  file: string,
): CommandFailed {
  const sentences = error.issues.map((issue) => {
    const keys =
      issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
    return keys
      .map((key) => {
        const name = key.join('.');
        const source = sources.get(name);
        const line = found?.lineOf(key);
        const place =
          source && !source.includes(':')
            ? `${source} (${name})`
            : `${path.basename(file)}:${line ?? '?'} ${name}`;
        if (issue.code === 'unrecognized_keys') {
          return `${place} is not a setting. ${suggest(String(key.at(-1)), allowedAt(issue.path))}`;
        }
        return `${place} is refused: ${issue.message}.`;
      })
      .join('\n');
  });
  return new CommandFailed(EXIT.usage, 'CONFIG_REFUSED', sentences.join('\n'), { cause: error });
}

/** Keys that the schema knows at a place. */
function allowedAt(at: readonly PropertyKey[]): string[] {
  let schema: unknown = configSchema;
  for (const key of at) {
    schema = unwrap(schema);
    schema =
      schema instanceof z.ZodObject
        ? (schema.shape as Record<string, unknown>)[String(key)]
        : valueOf(schema);
  }
  schema = unwrap(schema);
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

const valueOf = (schema: unknown): unknown =>
  schema instanceof z.ZodRecord ? (schema.valueType as unknown) : undefined;

function unwrap(schema: unknown): unknown {
  let inner = schema;
  while (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault || inner instanceof z.ZodOptional) {
    inner = inner.def.innerType;
  }
  return inner;
}

function suggest(wrong: string, allowed: readonly string[]): string {
  const near = allowed
    .map((name) => ({ name, distance: editDistance(wrong, name) }))
    .filter(({ distance }) => distance <= Math.max(1, wrong.length / 4))
    .sort((a, b) => a.distance - b.distance)[0];
  return near ? `Did you mean ${near.name}?` : `Remove it, or use one of: ${allowed.join(', ')}.`;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}

function leavesOf(value: unknown, at: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[...at]];
  return Object.entries(value).flatMap(([key, inner]) =>
    inner === undefined ? [] : leavesOf(inner, [...at, key]),
  );
}

function valueAt(value: unknown, key: readonly string[]): unknown {
  return key.reduce<unknown>((inner, part) => (inner as Record<string, unknown>)[part], value);
}

function setAt(target: Record<string, unknown>, key: readonly string[], value: unknown): void {
  let inner = target;
  for (const part of key.slice(0, -1)) {
    const next = inner[part];
    if (typeof next !== 'object' || next === null) inner[part] = {};
    inner = inner[part] as Record<string, unknown>;
  }
  inner[key.at(-1)!] = value;
}

const DURATIONS = [
  'worker.shutdown_grace',
  'jobs.export_closed_bundles',
  'jobs.check_disk',
  'jobs.watch_recognisers',
  'jobs.retrain_recognisers',
  'ingest.tokens.life_at_most',
  ...['connection_age', 'connection_idle', 'silent_stream', 'recheck', 'late'].map(
    (name) => `ingest.limits.${name}`,
  ),
];

function shown(key: readonly string[], value: unknown): unknown {
  return DURATIONS.includes(key.join('.')) ? formatDuration(value as number) : value;
}
