// What a check has to say at its end, whoever reads it. Pure.
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

/** Returns a finding's place in words, from the site inwards: `app.example.com › handle /x*`. */
export function whereText({ where: { hosts, path } }: Finding): string {
  return [...(hosts.length > 0 ? [hosts.join(', ')] : []), ...path].join(' › ');
}
