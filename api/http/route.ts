import type { Request, Response } from 'express';
import type { z } from 'zod';
import type { Caller } from '../auth.ts';

/** Who may use a route. `open`: anybody, without a key. */
export type Access = 'open' | readonly string[];

const LOOKERS = [
  'viewer',
  'operator',
  'crew',
  'manager',
  'auditor',
  'admin',
  'duty-officer',
  'plan-board',
] as const;

/** Role sets, by what they allow. Vendors push data through gRPC and read nothing here. */
export const MAY = {
  look: LOOKERS,
  /** The incident itself checks the role that its question names. */
  answer: ['operator', 'manager', 'admin', 'duty-officer', 'plan-board'],
  command: ['operator', 'admin', 'duty-officer'],
  label: ['operator', 'manager', 'admin', 'duty-officer'],
  reportStatus: ['crew', 'operator'],
  writePlans: ['manager', 'admin'],
  decideProposals: ['manager', 'admin', 'plan-board'],
} as const satisfies Record<string, readonly string[]>;

export const ROLES = ['vendor', ...LOOKERS] as const;

/** What a handler gets: parsed input, the caller, and the raw exchange for the few that stream. */
export interface Exchange<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly caller: Caller;
  readonly request: Request;
  readonly response: Response;
}

/** What a handler answers; the body is sent as JSON. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/**
 * One operation of the API: the app mounts it, OpenAPI describes it, and the access test walks it, all from
 * this one object.
 */
export interface Route {
  readonly method: 'get' | 'post';
  /** express form: `/v1/incidents/:incidentId`. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly access: Access;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Status and schema of a success; null: nothing or a stream. */
  readonly answers: Readonly<Record<number, z.ZodType | null>>;
  /** Codes of `api/errors.ts` that this route adds to those of every route. */
  readonly refusals: readonly string[];
  /** null: the handler has sent the answer itself. */
  readonly handle: (exchange: Exchange<never, never, never>) => Promise<Answer | null>;
}

interface RouteSpec<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType> extends Omit<
  Route,
  'params' | 'query' | 'body' | 'handle' | 'refusals'
> {
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly refusals?: readonly string[];
  readonly handle: (exchange: Exchange<z.output<P>, z.output<Q>, z.output<B>>) => Promise<Answer | null>;
}

/** Declares a route; its handler sees what its schemas let through. */
export function defineRoute<
  P extends z.ZodObject = z.ZodObject,
  Q extends z.ZodObject = z.ZodObject,
  B extends z.ZodType = z.ZodType,
>(spec: RouteSpec<P, Q, B>): Route {
  return { ...spec, refusals: spec.refusals ?? [], handle: spec.handle as Route['handle'] };
}
