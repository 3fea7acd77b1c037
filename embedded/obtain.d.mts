/** Which way a server was obtained. */
export type ObtainedFrom = 'address' | 'PATH' | 'cache' | 'download' | 'package';

export interface ObtainOptions {
  /** Default `process.env`. Read: TEMPORAL_ADDRESS, MONGODB_URI, PATH, TOCSIN_CACHE, TOCSIN_OFFLINE (no public download). */
  env?: NodeJS.ProcessEnv;
  /** Told what is being done when it takes longer than a look. */
  log?: (line: string) => void;
  /** Resolves when `node_modules` is in place, which the public downloads need. Default: it is. */
  dependencies?: Promise<unknown>;
  /** Only what is there already: address, PATH and cache. Default false. */
  presentOnly?: boolean;
}

export class Unavailable extends Error {
  fix?: string;
  constructor(reason: string, fix?: string);
}

export class NotObtained extends Error {
  attempts: { from: ObtainedFrom; reason: string; fix: string }[];
  constructor(what: string, attempts: { from: ObtainedFrom; reason: string; fix: string }[]);
}

export function mustReach(url: string, env: NodeJS.ProcessEnv): Promise<void>;
