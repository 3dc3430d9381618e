// How far another machine's clock is from ours, by the `Date` of its answer, and what that does. Pure.
import { TOLERANCE_SECONDS } from '../identity/bearer-issuer.ts';
import { type Line, notLookedAt, warning, well, wrong } from './line.ts';

/** An answer's times: ours around it, and what it says. */
export type Timed = {
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
  /** `Date`, and `Age` where a cache answered (RFC 9111, section 5.1). */
  readonly date: string | undefined;
  readonly age?: string | undefined;
};

/** So far tokens are good whoever's clock is wrong (TOLERANCE_SECONDS): beyond it fresh ones are refused. */
export const WARN_BEYOND_MS = TOLERANCE_SECONDS * 1000;
/** What openid-client allows an ID token's times: beyond it nobody can sign in. */
export const WRONG_BEYOND_MS = 30_000;
/** `Date` has whole seconds. */
const LAST_MS_OF_SECOND = 999;
/** An IMF-fixdate (RFC 9110, section 5.6.7): what else `Date.parse` takes is none. */
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;

/**
 * Returns by how many milliseconds at least the other's clock is ahead (negative: behind); undefined where it
 * says nothing of its time.
 */
export function skewMs({
  sentAtMs,
  answeredAtMs,
  date = '',
  age = '0',
}: Timed): number | undefined {
  const second = HTTP_DATE.test(date) ? Date.parse(date) : NaN;
  const from = second + (/^\d{1,9}$/.test(age) ? Number(age) * 1000 : 0);
  if (Number.isNaN(from)) return undefined;
  if (from > answeredAtMs) return from - answeredAtMs;
  return Math.min(0, from + LAST_MS_OF_SECOND - sentAtMs);
}

/** Returns the line about a clock; `whose` is at the beginning of a sentence. */
export function judgeClock(name: string, whose: string, timed: Timed): Line {
  const skew = skewMs(timed);
  if (skew === undefined) return notLookedAt(name, `${whose} says no time (Date)`);
  const apart = Math.abs(skew);
  const seconds = `${(apart / 1000).toFixed(apart < 10_000 ? 1 : 0)} s`;
  const seen = `${whose} is ${seconds} ${skew > 0 ? 'ahead of' : 'behind'} this machine's clock`;
  const mend = 'set both by NTP: one of them is wrong (`timedatectl` says which is synchronised)';
  if (apart > WRONG_BEYOND_MS) return wrong(name, `${seen}: tokens and sign-ins are refused`, mend);
  if (apart > WARN_BEYOND_MS) return warning(name, `${seen}: fresh tokens may be refused`, mend);
  return well(name, skew === 0 ? `${whose} and this machine's clock agree` : seen);
}
