import http from 'node:http';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Closing } from './context.ts';

/**
 * Serves Prometheus text at `/metrics`, on a port of its own, and whether the process is alive at `/healthz`.
 *
 * @returns the registry for the role's own metrics, and the port
 */
export async function serveMetrics(
  role: string,
  { host, port }: { readonly host: string; readonly port: number },
  closing: Closing,
): Promise<{ readonly registry: Registry; readonly port: number }> {
  const registry = new Registry();
  registry.setDefaultLabels({ role });
  collectDefaultMetrics({ register: registry });
  const server = http.createServer((request, response) => {
    if (request.url === '/healthz') return void response.end('ok\n');
    if (request.url !== '/metrics') return void response.writeHead(404).end();
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  const listening = await listen(server, host, port, 'metrics', 'TOCSIN_PORT_METRICS');
  closing.add('metrics', () => closeServer(server));
  return { registry, port: listening };
}

/**
 * Listens, or says in words what is in the way.
 *
 * @returns the port
 */
export function listen(
  server: http.Server,
  host: string,
  port: number,
  what: string,
  variable: string,
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE'
          ? 'is taken by another program'
          : `cannot be used (${error.code ?? error.message})`;
      reject(
        new Error(
          `Port ${port} for ${what} ${why}. Stop that program, or choose another port with ${variable}.`,
          { cause: error },
        ),
      );
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

/** Ends idle connections at once and the others with their answer. */
export function closeServer(server: http.Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    // Streams of changes have no end of their own.
    setTimeout(() => server.closeAllConnections(), 1_000).unref();
  });
}
