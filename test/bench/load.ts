// The load: nghttp2's h2load, which speaks HTTP/1.1 and HTTP/2 and takes little CPU of its own, so that
// it does not flatter the ratios. So many requests and not so many seconds: each of them is answered
// before it ends, and rows and spans can be counted against them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

export type Protocol = 'http/1.1' | 'h2';

export type LoadOptions = {
  readonly url: string;
  /** `Name: value`, the same with every request. */
  readonly headers: readonly string[];
  readonly requests: number;
  readonly clients: number;
  /** Requests at once on a connection: more than 1 only with HTTP/2. */
  readonly streams: number;
  readonly protocol: Protocol;
  /** Of all connections together, evenly spread; as fast as can be without it. */
  readonly perSecond?: number;
  /** Gets a line per request, for `readLatencies`. */
  readonly logFile?: string;
  /** In the words of `taskset -c`. */
  readonly cores?: string;
};

export type Load = {
  readonly requests: number;
  /** Answered with 2xx. */
  readonly succeeded: number;
  readonly perSecond: number;
  readonly protocol: string;
  /** Of all answers' bodies. */
  readonly bodyBytes: number;
  /** h2load's own, in microseconds. */
  readonly cpuUs: number;
};

/** A connection that says nothing for so long has failed. */
const SILENT_S = 30;

/** Sends it all and returns what came of it. Throws when h2load itself fails. */
export async function load(options: LoadOptions): Promise<Load> {
  const command = ['h2load', ...argumentsOf(options)];
  if (options.cores !== undefined) command.unshift('taskset', '-c', options.cores);
  // The shell's `times` tells the CPU of what it ran, to the microsecond, after the end.
  const script = '"$@"; status=$?; times; exit $status';
  const child = spawn('sh', ['-c', script, 'sh', ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  if (code !== 0) throw new Error(`h2load ended with ${code}: ${stderr.trim() || stdout}`);
  return parseLoad(stdout);
}

function argumentsOf(options: LoadOptions): string[] {
  const { url, headers, requests, clients, streams, protocol, perSecond, logFile } = options;
  const counts = { '-n': requests, '-c': clients, '-m': streams, '-t': 1, '-N': SILENT_S };
  return [
    ...Object.entries(counts).flatMap(([name, value]) => [name, String(value)]),
    ...(protocol === 'http/1.1' ? ['--h1'] : []),
    ...(perSecond === undefined ? [] : pace(perSecond, clients)),
    ...(logFile === undefined ? [] : [`--log-file=${logFile}`]),
    ...headers.flatMap((header) => ['-H', header]),
    url,
  ];
}

// Each connection has a clock of its own. Begun one after the other they take turns; begun at once
// they would all send at the same moment, and wait for one another.
function pace(perSecond: number, clients: number): string[] {
  const apartMs = Math.max(1, Math.round(1000 / perSecond));
  return ['--rps', String(perSecond / clients), '-r', '1', `--rate-period=${apartMs}ms`];
}

/** Returns the figures of what h2load 1.4x to 1.6x prints, with the shell's `times` after it. */
export function parseLoad(printed: string): Load {
  const find = (pattern: RegExp) => {
    const found = pattern.exec(printed)?.[1];
    if (found === undefined) throw new Error(`h2load printed no ${pattern.source}:\n${printed}`);
    return found;
  };
  return {
    requests: Number(find(/^requests: (\d+) total/m)),
    succeeded: Number(find(/^status codes: (\d+) 2xx/m)),
    perSecond: Number(find(/^finished in \S+, ([\d.]+) req\/s/m)),
    protocol: find(/^Application protocol: (\S+)/m),
    bodyBytes: Number(find(/^traffic: .*\((\d+)\) data/m)),
    cpuUs: childrenUs(printed),
  };
}

// `times` prints `0m0.01s 0m0.02s` twice: the shell's own user and system time, then its children's.
function childrenUs(printed: string): number {
  const last = printed.trimEnd().split('\n').at(-1) ?? '';
  const parts = [...last.matchAll(/(\d+)m([\d.]+)s/g)];
  return parts.reduce((sum, [, m, s]) => sum + (Number(m) * 60 + Number(s)) * 1e6, 0);
}
