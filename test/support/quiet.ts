/** A log for a test that does not look at what is logged. */
export const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
