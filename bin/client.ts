import { setTimeout as sleep } from 'node:timers/promises';
import { chosenKey } from './credentials.ts';
import { CommandFailed, EXIT, exitCodeOfStatus } from './exit-codes.ts';
import { readRunning } from './running.ts';

/** A caller of the HTTP API, as one principal. */
export interface ApiClient {
  readonly url: string;
  get<T>(path: string, query?: Readonly<Record<string, string | number | boolean | undefined>>): Promise<T>;
  post<T>(path: string, body?: unknown): Promise<T>;
  put<T>(path: string, body: unknown): Promise<T>;
  /** Server-sent events until `signal` aborts: each event's name and data. */
  events(path: string, signal: AbortSignal): AsyncGenerator<{ event: string; data: unknown }>;
}

export interface ApiOptions {
  /** @default TOCSIN_URL, else the Tocsin that runs on this machine, else http://127.0.0.1:8080 */
  readonly url?: string | undefined;
  /** Principal whose key in credentials.json to use. @default TOCSIN_KEY, then TOCSIN_AS, then no key */
  readonly as?: string | undefined;
}

/** @throws CommandFailed when no key is known for `as` */
export function createApiClient(options: ApiOptions = {}): ApiClient {
  const url = (
    options.url ??
    process.env['TOCSIN_URL'] ??
    readRunning()?.http ??
    'http://127.0.0.1:8080'
  ).replace(/\/+$/, '');
  const key = chosenKey(options.as);
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };

  async function call(method: string, path: string, body?: unknown): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`${url}${path}`, {
        method,
        headers: {
          ...headers,
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(60_000),
      });
    } catch (error) {
      throw unreachable(url, error);
    }
    if (!response.ok) throw await refused(response, key !== undefined);
    return response;
  }

  async function answer<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await call(method, path, body);
    return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
  }

  return {
    url,
    get: (path, query) => answer('GET', `${path}${queryText(query)}`),
    post: (path, body = {}) => answer('POST', path, body),
    put: (path, body) => answer('PUT', path, body),
    async *events(path, signal) {
      let lastId: string | undefined;
      while (!signal.aborted) {
        try {
          const response = await fetch(`${url}${path}`, {
            headers: { ...headers, accept: 'text/event-stream', ...(lastId && { 'last-event-id': lastId }) },
            signal,
          });
          if (!response.ok) throw await refused(response, key !== undefined);
          for await (const message of messagesOf(response)) {
            lastId = message.id ?? lastId;
            yield { event: message.event, data: message.data };
          }
        } catch (error) {
          if (signal.aborted) return;
          if (error instanceof CommandFailed && error.exitCode !== EXIT.unavailable) throw error;
        }
        // The server ended the stream or went away: come back, from where we were.
        await sleep(1_000, undefined, { signal }).catch(() => {});
      }
    },
  };
}

/** An id with slashes is one segment of a path. */
export const segment = (id: string): string => encodeURIComponent(id);

function queryText(query: Readonly<Record<string, string | number | boolean | undefined>> = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}

function unreachable(url: string, error: unknown): CommandFailed {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const reason =
    error instanceof Error && error.name === 'TimeoutError'
      ? 'did not answer within 60 s'
      : cause instanceof Error && 'code' in cause
        ? `is not there (${String(cause.code)})`
        : 'cannot be reached';
  return new CommandFailed(
    EXIT.unavailable,
    'API_UNREACHABLE',
    `The Tocsin API at ${url} ${reason}. Start it with npm start, or name another with --url or TOCSIN_URL.`,
    { cause: error },
  );
}

/** A problem document (RFC 9457) becomes the sentence that it carries. */
async function refused(response: Response, withKey: boolean): Promise<CommandFailed> {
  const problem = (await response.json().catch(() => ({}))) as {
    code?: unknown;
    title?: unknown;
    detail?: unknown;
  };
  const code = typeof problem.code === 'string' ? problem.code : `HTTP_${response.status}`;
  const said =
    typeof problem.detail === 'string'
      ? problem.detail
      : typeof problem.title === 'string'
        ? problem.title
        : `The API answered ${response.status}.`;
  const remedy =
    (response.status === 401 || response.status === 403) && !withKey
      ? ' Say who you are with --as, for example --as duty-officer.'
      : '';
  return new CommandFailed(exitCodeOfStatus(response.status), code, `${said}${remedy}`);
}

async function* messagesOf(
  response: Response,
): AsyncGenerator<{ event: string; data: unknown; id?: string | undefined }> {
  const decoder = new TextDecoder();
  let pending = '';
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    pending += decoder.decode(chunk, { stream: true });
    const blocks = pending.split(/\r?\n\r?\n/);
    pending = blocks.pop()!;
    for (const block of blocks) {
      const fields = new Map<string, string>();
      for (const line of block.split(/\r?\n/)) {
        const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
        if (name !== undefined) fields.set(name, [fields.get(name), value].filter(Boolean).join('\n'));
      }
      const data = fields.get('data');
      if (data === undefined) continue;
      yield { event: fields.get('event') ?? 'message', data: JSON.parse(data), id: fields.get('id') };
    }
  }
}
