// How long a sign-in holds, for which hosts, and who vouches for it to the app.
import { parseDuration } from './address.ts';
import type { Config, CookieConfig, SessionTimes } from './config.ts';
import type { Reading } from './reading.ts';

/** Returns a session's times; reports those that cannot come before the session ends. */
export function readSession(reading: Reading): SessionTimes {
  const { idle, absolute, recheck } = reading.settings.session;
  const idleMs = parseDuration(idle) ?? 0;
  const absoluteMs = parseDuration(absolute) ?? 0;
  const recheckMs = parseDuration(recheck);
  const longest = `of at most ${absolute}, which is session.absolute`;
  if (idleMs > absoluteMs) {
    report('idle', { read: idle, allowed: `an idle time ${longest}`, mend: 'shorten it' }, reading);
  }
  if (recheckMs !== undefined && recheckMs > absoluteMs && isWritten('recheck', reading)) {
    const mend = 'shorten it, or write never';
    report('recheck', { read: recheck, allowed: `a time ${longest}`, mend }, reading);
  }
  return { idleMs, absoluteMs, ...(recheckMs !== undefined && { recheckMs }) };
}

type Time = 'idle' | 'recheck';

function report(time: Time, error: Omit<Parameters<Reading['report']>[0], 'where'>, at: Reading) {
  const isRefused = at.refused.has(`session.${time}`) || at.refused.has('session.absolute');
  // A default in place of a refused one was written by nobody.
  if (!isRefused) at.report({ where: at.place(`session.${time}`), ...error });
}

// A session of five minutes needs no word about re-checking.
function isWritten(time: Time, { settingsFile }: Reading): boolean {
  return settingsFile.lineOf(`session.${time}`) !== undefined;
}

/** Returns for which hosts a sign-in is good; reports hosts that cannot go together. */
export function readCookie(reading: Reading): CookieConfig {
  const { domain, sign_in_host: signInHost } = reading.settings.session;
  const hosts = hostsOf(reading);
  if (domain !== undefined && signInHost !== undefined) {
    const allowed = 'one of the two: a cookie for the whole domain, or one for each host';
    const mend = 'take one away';
    reading.report({
      where: reading.place('session'),
      read: 'domain and sign_in_host',
      allowed,
      mend,
    });
  }
  if (signInHost !== undefined) return central(signInHost.toLowerCase(), hosts, reading);
  return domain === undefined ? { kind: 'host' } : within(domain.toLowerCase(), hosts, reading);
}

function central(host: string, hosts: readonly string[], reading: Reading): CookieConfig {
  const where = reading.place('session.sign_in_host');
  const isKnown = areHostsRefused(reading) || hosts.includes(host);
  const read = hosts.length === 0 ? `${host}, and no hosts` : host;
  const allowed = 'one of `hosts`, which lists every host that people sign in for';
  if (!isKnown) reading.report({ where, read, allowed, mend: 'add it to `hosts`' });
  return { kind: 'central', host };
}

function within(domain: string, hosts: readonly string[], reading: Reading): CookieConfig {
  // A domain alone says nothing of what was meant: co.uk has two labels, too.
  if (hosts.length === 0 && !areHostsRefused(reading)) {
    const read = `${domain}, and no hosts`;
    const allowed = 'a domain with `hosts`, which lists every host that people sign in for';
    const mend = 'list them in `hosts`: people then sign in for these alone';
    reading.report({ where: reading.place('session.domain'), read, allowed, mend });
  }
  const outside = hosts.filter((host) => !isWithin(host.replace(/:\d+$/, ''), domain));
  if (outside.length > 0) {
    const allowed = `a domain that all hosts are within; ${outside.join(', ')} would get no cookie`;
    const mend = 'name another domain, take the host away, or use sign_in_host';
    reading.report({ where: reading.place('session.domain'), read: domain, allowed, mend });
  }
  return { kind: 'domain', domain };
}

function areHostsRefused({ refused }: Reading): boolean {
  return [...refused].some((path) => /^hosts(\[|$)/.test(path));
}

function isWithin(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}

/** Returns the hosts in lower case, as they are compared. */
export function hostsOf({ settings }: Reading): string[] {
  return settings.hosts.map((host) => host.toLowerCase());
}

/** Returns who vouches to the app; reports a name under which others issue tokens. */
export function readAssertion(
  { settings, place, report: tell }: Reading,
  issuers: readonly (string | undefined)[],
): Config['assertion'] {
  const { assertion } = settings;
  if (assertion !== undefined && issuers.includes(assertion.issuer)) {
    const read = `${assertion.issuer}, which issues tokens itself`;
    const allowed = "Signet's own: the URL of a host that it stands before";
    tell({ where: place('assertion.issuer'), read, allowed });
  }
  return assertion;
}
