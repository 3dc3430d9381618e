// What a check has to say at its end, whoever reads it. Pure.
import type { Code } from './codes.ts';
import type { Finding } from './finding.ts';

export type Report = {
  /** The configuration, as its operator named it. */
  readonly file: string;
  /** Of the Caddy that was asked, without a leading `v`. */
  readonly caddy: string | undefined;
  /** In the order in which they are told. */
  readonly findings: readonly Finding[];
  /** What could not be looked at, and why: sentences. */
  readonly notLookedAt: readonly string[];
  /** What Caddy itself warned of. */
  readonly warnings: readonly string[];
  /** How many findings were left out of each code that its operator named; undefined where none was named. */
  readonly excepted?: Readonly<Partial<Record<Code, number>>> | undefined;
};

export type Counts = { readonly errors: number; readonly warnings: number };

/** Returns how many there are of each severity. */
export function countsOf({ findings }: Report): Counts {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  return { errors, warnings: findings.length - errors };
}

/** Returns the line where a finding stands: its own, else none in the file that was checked. */
export function placeOf(
  { source }: Finding,
  { file }: Report,
): { readonly file: string; readonly line: number | undefined } {
  return source === undefined ? { file, line: undefined } : source;
}

/** What stands in `handle_errors`, which the words of a place may not say. */
const IN_ERRORS = /^\/apps\/http\/servers\/[^/]*\/errors\//;
const ERRORS = 'handle_errors';

/** Returns a finding's place in words, from the site inwards: `app.example.com › handle /x*`. */
export function whereText({ where: { hosts, path, pointer } }: Finding): string {
  const isError = IN_ERRORS.test(pointer) && !path.some((words) => words.startsWith(ERRORS));
  const site = hosts.length > 0 ? [hosts.join(', ')] : [];
  return [...site, ...(isError ? [ERRORS] : []), ...path].join(' › ');
}

/** Returns the report without the findings of these codes; they are counted. */
export function withoutCodes(report: Report, codes: readonly Code[]): Report {
  if (codes.length === 0) return report;
  const isLeftOut = ({ code }: Finding) => codes.includes(code);
  const leftOut = report.findings.filter(isLeftOut);
  const counts = codes.map((code) => [code, leftOut.filter((one) => one.code === code).length]);
  return {
    ...report,
    findings: report.findings.filter((finding) => !isLeftOut(finding)),
    excepted: Object.fromEntries(counts),
  };
}

/** Returns what was left out, in one sentence without its stop; undefined where nothing was. */
export function exceptedText({ excepted = {} }: Report): string | undefined {
  const counts = Object.entries(excepted).filter(([, count]) => count > 0);
  if (counts.length === 0) return undefined;
  const told = counts.map(([code, count]) => (count === 1 ? code : `${code} (${count})`));
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  return `${total} left out by --except: ${told.join(', ')}`;
}
