const KEY = 'tocsin.key';

/** A refusal of the server, in its words. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? problem?.title ?? `HTTP ${status}`);
    this.status = status;
    this.code = problem?.code ?? '';
  }
}

export const keyGiven = () => sessionStorage.getItem(KEY);
export const forgetKey = () => sessionStorage.removeItem(KEY);
export const keepKey = (key) => sessionStorage.setItem(KEY, key);

/** Takes `#key=…` out of the address, so that it is in no history, bookmark or screenshot. */
export function takeKeyFromAddress() {
  const match = /^#key=([^&]+)(?:&(.*))?$/.exec(location.hash);
  if (match === null) return;
  keepKey(decodeURIComponent(match[1]));
  history.replaceState(null, '', `${location.pathname}${match[2] ? `#${match[2]}` : ''}`);
}

const headers = () => (keyGiven() === null ? {} : { authorization: `Bearer ${keyGiven()}` });

async function answerOf(response) {
  if (response.ok) return response.json();
  throw new Refused(response.status, await response.json().catch(() => null));
}

export const get = async (path) =>
  answerOf(await fetch(path, { headers: headers(), signal: AbortSignal.timeout(10_000) }));

export const post = async (path, body, more = {}) =>
  answerOf(
    await fetch(path, {
      method: 'POST',
      headers: { ...headers(), 'content-type': 'application/json', ...more },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(20_000),
    }),
  );

/**
 * Listens to /v1/changes for ever. Not an EventSource: that cannot send a key in a header.
 *
 * @param {(event: string, data: unknown) => void} onEvent
 * @param {(error: unknown) => void} onLost
 * @returns {() => void} starts again, with the key of now
 */
export function listen(onEvent, onLost) {
  let lastId = '';
  let abort = new AbortController();
  let waitMs = 500;

  async function once() {
    abort = new AbortController();
    const response = await fetch('/v1/changes', {
      headers: {
        ...headers(),
        accept: 'text/event-stream',
        ...(lastId === '' ? {} : { 'last-event-id': lastId }),
      },
      signal: abort.signal,
      cache: 'no-store',
    });
    if (!response.ok) throw new Refused(response.status, await response.json().catch(() => null));
    waitMs = 500;
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    let pending = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      pending += decoder.decode(value, { stream: true });
      const blocks = pending.split('\n\n');
      pending = blocks.pop();
      for (const block of blocks) take(block);
    }
  }

  function take(block) {
    const fields = {};
    for (const line of block.split('\n')) {
      const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
      if (name !== undefined) fields[name] = value;
    }
    if (fields.data === undefined) return;
    lastId = fields.id ?? lastId;
    onEvent(fields.event ?? 'message', JSON.parse(fields.data));
  }

  async function forever() {
    for (;;) {
      try {
        await once();
        onLost(new Error('ended'));
      } catch (error) {
        onLost(error);
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      waitMs = Math.min(waitMs * 2, 5_000);
    }
  }

  void forever();
  return () => {
    lastId = '';
    waitMs = 100;
    abort.abort();
  };
}
