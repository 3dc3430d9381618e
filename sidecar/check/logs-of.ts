// Which of Caddy's logs get a site's requests, and which of them the recorder reads. Pure (Caddy 2.11: `ServerLogConfig`,
// `CustomLog`).
import { posix } from 'node:path';
import type { Adapted, Log, ServerLogs } from '../edge/adapted.ts';
import { recordAt } from '../edge/adapted.ts';
import { loggersNamed } from './logged-hosts.ts';

/** What the shipped snippet calls its log. */
export const SIGNET_LOG = 'signet_access_log';

/** Loggers of access logs are below this one. */
const ACCESS = 'http.log.access';

export type NamedLog = { readonly name: string; readonly log: Log };

/** Returns the logs that write down a site's requests; none where they are not logged. */
export function logsOf(
  { logs }: Adapted,
  server: ServerLogs,
  hosts: readonly string[],
): NamedLog[] {
  return taking(logs, loggersOf(server, hosts));
}

/** Returns the logs that write down what a logger of this name gets: as `log_name` has it. */
export function logsOfLogger({ logs }: Adapted, name: string): NamedLog[] {
  return taking(logs, [name]);
}

function taking(logs: Adapted['logs'], loggers: readonly string[]): NamedLog[] {
  const names = loggers.map((name) => (name === '' ? ACCESS : `${ACCESS}.${name}`));
  return Object.entries(logs)
    .filter(([, log]) => names.some((logger) => takes(log, logger)))
    .map(([name, log]) => ({ name, log }));
}

// A site without a host, or whose host is not named, goes to the default one.
function loggersOf(server: ServerLogs, hosts: readonly string[]): readonly string[] {
  const named = hosts.flatMap((host) => loggersNamed(server, host) ?? []);
  return named.length > 0 ? named : [server.default_logger_name ?? ''];
}

function takes({ include = [], exclude = [] }: Log, logger: string): boolean {
  const isBelow = (name: string) => logger === name || logger.startsWith(`${name}.`);
  return (include.length === 0 || include.some(isBelow)) && !exclude.some(isBelow);
}

/** Files that keep nothing, or that are somebody's terminal. */
const NO_FILES = /^\/(dev|proc)\//;

/** Returns the file that a log is written to, or undefined where it is none. */
export function fileOf({ writer = {} }: Log): string | undefined {
  const { output, filename } = writer;
  if (output !== 'file' || typeof filename !== 'string') return undefined;
  return NO_FILES.test(posix.normalize(filename)) ? undefined : filename;
}

/** Returns the log that the recorder reads: by its file, else by its name; where nothing says so, the first that is a file. */
export function signetLog(
  logs: readonly NamedLog[],
  accessLog: string | undefined,
): NamedLog | undefined {
  const byFile = logs.find(({ log }) => accessLog !== undefined && fileOf(log) === accessLog);
  const byName = logs.find(({ name }) => name === SIGNET_LOG);
  if (byFile || byName || accessLog !== undefined) return byFile ?? byName;
  const isFile = ({ log }: NamedLog) => fileOf(log) !== undefined;
  // Caddy's own, of everything, is nobody's record.
  return logs.find(isFile) ?? logs.find(({ name }) => name !== 'default');
}

/** The JSON encoder inside, and what is around it. */
export type Format = {
  readonly json: Readonly<Record<string, unknown>> | undefined;
  /** Field and filter, in the order in which they run; a field may have several. */
  readonly filters: readonly (readonly [string, Readonly<Record<string, unknown>>])[];
  /** Keys that each line gets. */
  readonly appended: readonly string[];
};

/** Returns how a log's lines are made; `json` is undefined where they are no JSON. */
export function formatOf({ encoder }: Log): Format {
  if (encoder === undefined) return { json: {}, filters: [], appended: [] };
  const filters: [string, Readonly<Record<string, unknown>>][] = [];
  const appended: string[] = [];
  let at = encoder;
  // `append` wraps like `filter`.
  for (
    let depth = 0;
    depth < 8 && (at['format'] === 'filter' || at['format'] === 'append');
    depth++
  ) {
    const fields = Object.entries(recordAt(at['fields']));
    if (at['format'] === 'append') appended.push(...fields.map(([key]) => key));
    else
      filters.push(
        ...fields.map(
          ([field, filter]) =>
            [field, recordAt(filter)] as [string, Readonly<Record<string, unknown>>],
        ),
      );
    at = at['wrap'] === undefined ? { format: 'json' } : recordAt(at['wrap']);
  }
  return { json: at['format'] === 'json' ? at : undefined, filters, appended };
}
