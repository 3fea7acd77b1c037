import type { Finding } from './document.ts';

/** What one check has to say; `place` is a path in the document. */
export type Say = (
  severity: Finding['severity'],
  code: string,
  place: string,
  message: string,
  remedy: string,
) => void;

/** Collects findings in the order in which they are said. */
export function createFindings(): { readonly findings: Finding[]; readonly say: Say } {
  const findings: Finding[] = [];
  return {
    findings,
    say: (severity, code, place, message, remedy) =>
      void findings.push({ code, severity, place, message, remedy }),
  };
}

/** Names people wrote, cut so that a finding stays a sentence, without characters that could forge a line. */
export function quoted(value: unknown): string {
  const text = typeof value === 'string' ? value : String(value);
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return `"${shown.replace(/[\p{Cc}\p{Cf}]/gu, '·')}"`;
}
