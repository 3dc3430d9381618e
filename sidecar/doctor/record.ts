// What the row of our own request says, or what it is likely that there is none. Pure.
import type { RequestRow } from '../audit/row.ts';
import type { Awaited } from './evidence.ts';
import { type Line, notLookedAt, quoted, warning, well, wrong } from './line.ts';
import type { LogSeen } from './log-file.ts';
import { MEND } from './odd-target.ts';
import type { Spoof } from './spoofed.ts';

/** Later than this the recorder is behind: reviewers look at what is minutes old. */
const LATE_MS = 5000;

const AS_IT_SAYS = 'mend what the recorder says; `signet status` says whether it is well again';

const FOLLOWS = 'log written, readable, followed';

/** Returns the line about the row; `log` is looked at only where there is none. `recorder` is what the recorder lacks. */
export function judgeRecord(
  found: Awaited,
  log: () => LogSeen | undefined,
  recorder?: string,
): Line {
  const name = 'record';
  if ('problem' in found) return wrong(name, found.problem, '--state names the state folder');
  if ('missing' in found) return judgeMissing(name, found.waitedMs, causeOf(log(), recorder));
  const { row, afterMs } = found;
  const seconds = `${(afterMs / 1000).toFixed(1)} s`;
  const route = row.route === undefined ? '' : ` on ${quoted(row.route)}`;
  const seen = `${FOLLOWS}: the request is there ${seconds} later, ${row.decision} (${row.reason})${route}`;
  if (row.reason === 'stamp-invalid') {
    const mend = 'do two sidecars share the log, or has another key ring sealed? `signet status`';
    return wrong(name, `${seen}: its stamp is not believed`, mend);
  }
  if (row.kind === 'unexplained') {
    return wrong(name, `${seen}: served, and no decision says why`, 'run `signet check`');
  }
  // Whether it is meant to be open is told by `signed-out`, and only the row knows.
  if (row.reason === 'unprotected' && row.route !== undefined) {
    return well(name, `${seen}: open on purpose, by \`import unprotected\``);
  }
  if (afterMs > LATE_MS) return warning(name, seen, '`signet status` says how far the log is read');
  return well(name, seen);
}

function judgeMissing(name: string, waitedMs: number, [cause, mend]: Cause): Line {
  const seen = `no row of the request within ${Math.round(waitedMs / 1000)} s`;
  return wrong(name, `${seen}: ${cause}`, mend);
}

type Cause = readonly [cause: string, mend: string];

function causeOf(log: LogSeen | undefined, recorder: string | undefined): Cause {
  switch (log?.is) {
    case undefined:
      if (recorder !== undefined) return [`the recorder says: ${recorder}`, AS_IT_SAYS];
      return [
        'the recorder does not follow the log, or this is the record of another installation',
        'look at `signet status`; name the state folder by --state',
      ];
    case 'missing':
      return [
        'there is no log where the settings look for it',
        'give Caddy and the sidecar the same SIGNET_ACCESS_LOG, and the site `import signet`',
      ];
    case 'no-file':
      return ['the log is no file', 'let SIGNET_ACCESS_LOG name a file'];
    case 'unreadable':
      return [
        `the log can't be read by whoever runs this (${log.why})`,
        "let the sidecar's user belong to Caddy's group; folder 0750, log 0640, both of that group",
      ];
    case 'readable':
      if (log.hasRequest && recorder !== undefined)
        return [`Caddy has logged it, and the recorder says: ${recorder}`, AS_IT_SAYS];
      return log.hasRequest
        ? [
            'Caddy has logged it',
            'does `signet serve` run? If it does, it does not follow the log: `signet status`, its own log',
          ]
        : [
            `Caddy has not logged it there (last written ${new Date(log.modifiedMs).toISOString()})`,
            'Caddy writes another file: give both the same SIGNET_ACCESS_LOG; `log_skip` in the site?',
          ];
  }
}

/** Returns the line about the row of the request with spoofed headers. */
export function judgeSpoofedRow(found: Awaited, { traceId, marks }: Spoof): Line {
  const name = 'spoofed row';
  if (!('row' in found)) return notLookedAt(name, 'there is no row of that request');
  const { row } = found;
  const believed = believedIn(row, marks);
  if (believed.length > 0) {
    const seen = `${believed.join(', ')} of a client who is nobody stands in its row`;
    return wrong(
      name,
      seen,
      'run `signet check`: the snippet, or its place in the site, is not right',
    );
  }
  if (row.traceId === traceId) {
    const seen = "the client's own trace id stands in its row";
    return warning(name, seen, 'only with `trace: { trust: always }` may that be');
  }
  return well(name, 'nobody is its user, and its id, path and trace are not the client’s');
}

/**
 * Returns the line about the row of a request to the host in capitals, which a site without its snippet's own name of
 * the log serves without one (Caddy up to 2.11.6). Undefined: nobody of Signet answered it, or no row comes at all.
 */
export function judgeCapitals(host: string, found: Awaited | undefined): Line {
  const name = 'host in capitals';
  if (found === undefined) return notLookedAt(name, 'no row of such a request could be looked for');
  if ('problem' in found) return notLookedAt(name, found.problem);
  if ('row' in found) return well(name, `a request to ${host} has its row, too`);
  return wrong(name, `a request to ${host} has no row: it is served, and nobody hears of it`, MEND);
}

function believedIn(row: RequestRow, marks: Spoof['marks']): string[] {
  const { identity, requestId, path, route } = row;
  const text = JSON.stringify({ identity, requestId, path, route });
  const found = [...marks].filter(([, mark]) => text.includes(mark)).map(([name]) => name);
  return identity !== undefined && found.length === 0 ? ['a user'] : found;
}
