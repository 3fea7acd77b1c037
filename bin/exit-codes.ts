/** What a command's exit code says. Stable: scripts depend on it. */
export const EXIT = {
  ok: 0,
  /** It ran, and the answer is no: a check failed, a bundle does not verify. */
  failed: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
  notFound: 3,
  /** Understood and refused: wrong role, already decided, a plan that does not check. */
  refused: 4,
  /** Something that is needed cannot be reached or started. */
  unavailable: 5,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A failure with a sentence for the person at the terminal and an exit code for the script. */
export class CommandFailed extends Error {
  override name = 'CommandFailed';
  readonly exitCode: ExitCode;
  /** Machine-readable name, shown with `--json`. */
  readonly code: string;

  constructor(exitCode: ExitCode, code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
    this.code = code;
  }
}

/** Where an HTTP answer belongs among the exit codes. */
export function exitCodeOfStatus(status: number): ExitCode {
  if (status < 400) return EXIT.ok;
  if (status === 400) return EXIT.usage;
  if (status === 404) return EXIT.notFound;
  if (status < 500) return EXIT.refused;
  return EXIT.unavailable;
}
