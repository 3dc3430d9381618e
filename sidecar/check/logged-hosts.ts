// Which hosts of a server Caddy logs, and by which loggers. Pure (Caddy 2.11: `ServerLogConfig`, `shouldLogRequest`).
import type { ServerLogs } from '../edge/adapted.ts';

/** Returns the names of the loggers for a host, the name itself first, as Caddy looks; undefined where it has none. */
export function loggersNamed(
  { logger_names: names = {} }: ServerLogs,
  host: string,
): readonly string[] | undefined {
  const entries = Object.entries(names);
  const isIt = ([name]: readonly [string, unknown]) => name.toLowerCase() === host.toLowerCase();
  return (entries.find(isIt) ?? entries.find(([name]) => matchesHost(host, name)))?.[1];
}

/**
 * Returns which of Caddy's reasons leaves requests for these hosts out of all logs; undefined where none does (Caddy 2.11:
 * `shouldLogRequest`). Those in `others` are another site's.
 */
export function unloggedBecause(
  server: ServerLogs,
  hosts: readonly string[],
  others: readonly string[],
): string | undefined {
  const { skip_hosts: skip = [], skip_unmapped_hosts: isSkipped } = server;
  // What has a logger of its own is logged, whatever is to be skipped.
  const unnamed = hosts.filter((host) => loggersNamed(server, host) === undefined);
  if (hosts.length > 0 && unnamed.length === 0) return undefined;
  const skipped = skip.filter(
    (host) =>
      !others.includes(host) &&
      loggersNamed(server, host) === undefined &&
      (hosts.length === 0 || unnamed.some((one) => overlap(one, host))),
  );
  if (skipped.length > 0) return `skip_hosts has ${skipped.join(', ')}`;
  return isSkipped === true ? 'skip_unmapped_hosts is set' : undefined;
}

// certmagic's `MatchWildcard`: stars stand for whole labels, from the first on.
function matchesHost(host: string, pattern: string): boolean {
  const [labels, stars] = [labelsOf(host), labelsOf(pattern)];
  const from = stars.findIndex((label) => label !== '*');
  const fixed = from === -1 ? stars.length : from;
  return (
    labels.length === stars.length &&
    stars.every((label, at) => (at < fixed ? labels[at] !== '' : label === labels[at]))
  );
}

// Whether one host may be meant by both.
function overlap(one: string, other: string): boolean {
  const [labels, others] = [labelsOf(one), labelsOf(other)];
  const isEither = (label: string, at: number) =>
    label === '*' || others[at] === '*' || label === others[at];
  return labels.length === others.length && labels.every(isEither);
}

function labelsOf(host: string): string[] {
  return host.toLowerCase().split('.');
}
