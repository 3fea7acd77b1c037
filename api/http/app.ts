import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import compression from 'compression';
import type { Express, NextFunction, Request, RequestHandler, Response } from 'express';
import express from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';
import type { z } from 'zod';
import { TocsinError } from '../../domain/errors.ts';
import type { Mode } from '../../domain/units.ts';
import type { Auth, Caller } from '../auth.ts';
import { requireRole } from '../auth.ts';
import { toProblem, toTocsinError } from '../errors.ts';
import { createChangeFeed } from './change-feed.ts';
import type { Dependencies, WebUi } from './dependencies.ts';
import { openApiOf } from './openapi.ts';
import { pagesRouter } from './pages.ts';
import type { Responses } from './responses.ts';
import type { Route } from './route.ts';
import { routesOf } from './routes.ts';

export interface HttpApiOptions {
  readonly stores: Dependencies['stores'];
  readonly responses: Responses;
  readonly sensorHealth: Dependencies['sensorHealth'];
  readonly auth: Auth;
  readonly log: Logger;
  readonly checkPlan: Dependencies['checkPlan'];
  /**
   * What must be there for the API to work, each true or the reason why not.
   * @default the store answers
   */
  readonly ready?: Dependencies['ready'];
  /** Wall clock. @default Date.now */
  readonly clock?: () => number;
  /** @default `0.0.0` */
  readonly version?: string;
  /** The mode of the whole installation; null: see each incident. @default null */
  readonly mode?: Mode | null;
  /** Address of the Temporal web UI; null: no links. @default null */
  readonly webUiBase?: string | null;
  /** Temporal namespace, for links. @default `tocsin` */
  readonly namespace?: string;
  /** Folder with the console; null: none is served. @default null */
  readonly consoleDir?: string | null;
  readonly limits?: Partial<HttpLimits>;
  /**
   * Proxies in front whose X-Forwarded-For is believed.
   * @default 0
   */
  readonly trustedProxies?: number;
  /** Time between readings for /v1/changes. @default 500 */
  readonly changesEveryMs?: number;
  /** @default 2_000 */
  readonly heartbeatMs?: number;
}

export interface HttpLimits {
  /** Requests of one key, or of one address without a key. @default 12_000 */
  readonly requestsPerMinute: number;
  /** Refused keys of one address. @default 60 */
  readonly refusedKeysPerMinute: number;
  /** @default 262_144 */
  readonly bodyBytes: number;
}

export interface HttpApi {
  readonly app: Express;
  readonly routes: readonly Route[];
  readonly openApi: () => Record<string, unknown>;
  /** Stops reading for viewers; the server itself is closed by who opened it. */
  close(): void;
}

/**
 * The HTTP API and the console on one express app.
 *
 * @example
 * const api = createHttpApi({ stores, responses, sensorHealth, auth, log, checkPlan, consoleDir: 'console' });
 * const server = api.app.listen(8080, '127.0.0.1');
 */
export function createHttpApi(options: HttpApiOptions): HttpApi {
  const { stores, auth, log, clock = Date.now, version = '0.0.0' } = options;
  const limits: HttpLimits = {
    requestsPerMinute: 12_000,
    refusedKeysPerMinute: 60,
    bodyBytes: 256 * 1024,
    ...options.limits,
  };
  const changes = createChangeFeed({
    incidents: stores.incidents,
    proposals: stores.proposals,
    log,
    now: clock,
    everyMs: options.changesEveryMs ?? 500,
  });
  const dependencies: Dependencies = {
    stores,
    responses: options.responses,
    sensorHealth: options.sensorHealth,
    changes,
    checkPlan: options.checkPlan,
    ready: options.ready ?? (() => storeAnswers(stores)),
    log,
    now: clock,
    version,
    mode: options.mode ?? null,
    webUi: webUiOf(options),
  };
  const stillAllowed = async (caller: Caller, authorization: string | undefined): Promise<boolean> => {
    if (authorization === undefined) return true;
    try {
      return (await auth.byAuthorization(authorization, false)).id === caller.id;
    } catch (error) {
      if (error instanceof TocsinError && error.code === 'UNAUTHENTICATED') return false;
      throw error;
    }
  };
  const routes = routesOf(dependencies, { stillAllowed, heartbeatMs: options.heartbeatMs ?? 2_000 });
  let described: Record<string, unknown> | null = null;
  const openApi = (): Record<string, unknown> => (described ??= openApiOf(routes, version));

  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.set('trust proxy', options.trustedProxies ?? 0);
  app.use(requestIds);
  app.use(requestLog(log));
  app.use(securityHeaders());
  app.use(compression({ filter: isCompressible }));
  app.use(limitRequests(limits));
  app.use(pagesRouter({ consoleDir: options.consoleDir ?? null, openApi }));
  app.use(operations(routes, auth, limits));
  app.use((request, _response, next) => {
    next(new TocsinError('ROUTE_UNKNOWN', `Nothing lives at ${request.method} ${request.path}.`));
  });
  app.use(answerProblem(log));

  return { app, routes, openApi, close: () => changes.close() };
}

async function storeAnswers(stores: Dependencies['stores']): Promise<Record<string, true | string>> {
  try {
    await stores.incidents.get('incident/none');
    return { store: true };
  } catch (error) {
    return { store: toTocsinError(error).message };
  }
}

function webUiOf({ webUiBase = null, namespace = 'tocsin' }: HttpApiOptions): WebUi | null {
  return webUiBase === null ? null : { base: webUiBase.replace(/\/+$/, ''), namespace };
}

function operations(routes: readonly Route[], auth: Auth, limits: HttpLimits): express.Router {
  const router = express.Router();
  // Who is not allowed is refused before the body is read.
  const body = express.json({ limit: limits.bodyBytes, inflate: false, strict: false });
  for (const route of routes) {
    const steps: RequestHandler[] = [allow(route, auth)];
    if (route.body !== undefined) steps.push(wantJson, body);
    router[route.method](route.path, ...steps, handled(route));
  }
  return router;
}

const callers = new WeakMap<Request, Caller>();
const NOBODY: Caller = { id: 'nobody', tenant: '', roles: [] };

function allow(route: Route, auth: Auth): RequestHandler {
  return async function allowed(request, _response, next) {
    if (route.access !== 'open') {
      const caller = await auth.byAuthorization(request.get('authorization'), isLocal(request));
      requireRole(caller, route.access);
      callers.set(request, caller);
    }
    next();
  };
}

const LOOPBACK = /^(::ffff:)?127\.|^::1$/;
const LOCAL_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

/**
 * A caller on this machine. Not one that a proxy passes on, and not a page of another site that had its own
 * name resolved to this machine (DNS rebinding): their Host is not ours.
 */
function isLocal(request: Request): boolean {
  return (
    LOOPBACK.test(request.socket.remoteAddress ?? '') &&
    LOCAL_HOST.test(request.get('host') ?? '') &&
    request.get('x-forwarded-for') === undefined &&
    request.get('forwarded') === undefined
  );
}

const wantJson: RequestHandler = (request, _response, next) => {
  // Also the guard against forms of other sites: they cannot send this type without being asked first.
  if (request.is('application/json') === false) {
    throw new TocsinError('MEDIA_TYPE', 'Send a JSON body with Content-Type: application/json.');
  }
  next();
};

function handled(route: Route): RequestHandler {
  return async function handle(request, response) {
    const answer = await route.handle({
      params: parse(route.params, request.params, 'path') as never,
      query: parse(route.query, request.query, 'query') as never,
      body: parse(route.body, request.body, 'body') as never,
      caller: callers.get(request) ?? NOBODY,
      request,
      response,
    });
    if (answer === null) return;
    if (answer.headers !== undefined) response.set(answer.headers);
    // Live data: a cache must ask again, and an unchanged answer costs only its ETag.
    response.set('Cache-Control', 'private, no-cache');
    response.status(answer.status ?? 200).json(answer.body);
  };
}

function parse(schema: z.ZodType | undefined, input: unknown, where: string): unknown {
  if (schema === undefined) return undefined;
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.slice(0, 20).map(({ path, message }) => ({
    in: where,
    path: path.join('.'),
    message,
  }));
  const first = issues[0];
  throw new TocsinError(
    'REQUEST_INVALID',
    `The ${where} does not fit: ${first?.path === '' ? '' : `${first?.path ?? ''}: `}${first?.message ?? ''}.`,
    { details: { issues } },
  );
}

const REQUEST_ID = /^[\w.:-]{1,100}$/;

const requestIds: RequestHandler = (request, response, next) => {
  const given = request.get('x-request-id');
  const id = given !== undefined && REQUEST_ID.test(given) ? given : randomUUID();
  (request as IncomingMessage & { id: string }).id = id;
  response.set('X-Request-Id', id);
  next();
};

const requestIdOf = (request: Request): string => (request as IncomingMessage & { id: string }).id;

/** One line per request, without headers: keys are in them. */
function requestLog(log: Logger): RequestHandler {
  return pinoHttp({
    logger: log,
    genReqId: (request) => (request as IncomingMessage & { id: string }).id,
    quietReqLogger: true,
    customLogLevel: (_request, response) => (response.statusCode >= 500 ? 'warn' : 'debug'),
    serializers: {
      req: (request: { id: string; method: string; url: string }) => ({
        id: request.id,
        method: request.method,
        url: request.url,
      }),
      res: (response: { statusCode: number }) => ({ statusCode: response.statusCode }),
    },
  }) as unknown as RequestHandler;
}

function securityHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'script-src': ["'self'"],
        'style-src': ["'self'"],
        'img-src': ["'self'", 'data:'],
        'font-src': ["'self'"],
        'connect-src': ["'self'"],
        'manifest-src': ["'self'"],
        'form-action': ["'none'"],
        'base-uri': ["'none'"],
        'frame-ancestors': ["'none'"],
      },
    },
    // The embedded installation speaks plain HTTP on loopback; TLS and HSTS belong to the proxy in front.
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'no-referrer' },
  });
}

const isCompressible: compression.CompressionFilter = (request, response) =>
  !String(response.getHeader('Content-Type')).startsWith('text/event-stream') &&
  compression.filter(request, response);

function limitRequests({ requestsPerMinute, refusedKeysPerMinute }: HttpLimits): RequestHandler[] {
  const MINUTE_MS = 60_000;
  const address = (request: Request): string => ipKeyGenerator(request.ip ?? '');
  const refuse = (_request: Request, _response: Response, next: NextFunction): void =>
    next(new TocsinError('RATE_LIMITED', 'Too many requests: see Retry-After.', { retryable: true }));
  return [
    rateLimit({
      windowMs: MINUTE_MS,
      limit: refusedKeysPerMinute,
      keyGenerator: address,
      // A viewer without a key shares its address with whoever guesses keys: it goes on looking.
      skip: (request) => request.get('authorization') === undefined,
      requestWasSuccessful: (_request, response) => response.statusCode !== 401,
      skipSuccessfulRequests: true,
      standardHeaders: false,
      legacyHeaders: false,
      handler: refuse,
    }),
    rateLimit({
      windowMs: MINUTE_MS,
      limit: requestsPerMinute,
      keyGenerator: (request) => {
        const key = request.get('authorization');
        return key === undefined ? address(request) : createHash('sha256').update(key).digest('base64url');
      },
      standardHeaders: 'draft-8',
      legacyHeaders: false,
      handler: refuse,
    }),
  ];
}

function answerProblem(log: Logger) {
  return (error: unknown, request: Request, response: Response, next: NextFunction): void => {
    const known = ofExpress(error);
    const requestId = requestIdOf(request);
    const problem = toProblem(known, { instance: request.originalUrl, requestId });
    if (problem.status >= 500) {
      const level = problem.code === 'INTERNAL' ? 'error' : 'warn';
      log[level]({ err: error, requestId, code: problem.code, method: request.method }, 'request failed');
    } else {
      log.debug({ err: error, requestId, code: problem.code }, 'request refused');
    }
    // Too late for an answer: express closes the connection, so that half an answer is not taken for a whole.
    if (response.headersSent) return next(error);
    if (problem.status === 401) response.set('WWW-Authenticate', 'Bearer');
    if (problem.status === 503) response.set('Retry-After', '1');
    response.set('Cache-Control', 'no-store');
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  };
}

/** What express and its body parser throw, in our codes. */
function ofExpress(error: unknown): unknown {
  const { type, status } = (error ?? {}) as { type?: unknown; status?: unknown };
  if (error instanceof TocsinError || typeof status !== 'number' || status >= 500) return error;
  if (type === 'entity.too.large') {
    return new TocsinError('TOO_LARGE', 'The body is larger than 256 KB.', { cause: error });
  }
  if (status === 415) {
    return new TocsinError('MEDIA_TYPE', 'Send uncompressed JSON in UTF-8.', { cause: error });
  }
  if (status === 404) return new TocsinError('ROUTE_UNKNOWN', 'Nothing lives here.', { cause: error });
  return new TocsinError('REQUEST_INVALID', 'The request cannot be read.', { cause: error });
}
