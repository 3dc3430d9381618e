// Which Caddy answers, as far as it tells; and of a Caddy program that is here, whether it is safe to stand behind.
// The one that runs can't be asked for its version from outside.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { explain } from '../fault.ts';
import {
  CADDY_FLOOR,
  describeUnadvised,
  describeUnsafe,
  parseCaddyVersion,
  unsafeBecause,
} from '../edge/version.ts';
import type { Reply } from './ask.ts';
import { type Line, notLookedAt, quoted, warning, well, wrong } from './line.ts';

/** Where to look for a Caddy program. */
export type Program = {
  readonly path: string;
  /** Somebody named it; otherwise it is looked for on the PATH. */
  readonly isNamed: boolean;
};

const run = promisify(execFile);
const LIMITS = { timeout: 10_000, maxBuffer: 256 * 1024 } as const;

/** Returns the line about what answers: `Server`, or `Via` where an app has a `Server` of its own. */
export function judgeServer({ headers }: Pick<Reply, 'headers'>): Line {
  const shown = [...(headers['server'] ?? []), ...(headers['via'] ?? [])];
  const told = shown.map(quoted).join(', ');
  if (shown.some((text) => /\bcaddy\b/i.test(text))) {
    return well('server', `${told}; which version of Caddy runs can't be asked from outside`);
  }
  const seen = `Caddy does not name itself (${told === '' ? 'no Server header' : told})`;
  const mend = 'nothing to do if something stands in front of Caddy, or takes the header away';
  return warning('server', seen, mend);
}

/** Returns the line about the program; starts it. Never rejects. */
export async function lookAtProgram({ path, isNamed }: Program): Promise<Line> {
  const name = 'caddy';
  try {
    const version = await versionOf(path);
    if (version !== undefined) return judgeProgram(name, path, version);
    return wrong(
      name,
      `${quoted(path)} does not say which Caddy it is`,
      'name another: --caddy PATH',
    );
  } catch (error) {
    if (!isNamed) return notLookedAt(name, 'no program `caddy` is on the PATH here; --caddy PATH');
    return wrong(name, `${quoted(path)}: ${quoted(explain(error))}`, 'name a Caddy program');
  }
}

type Version = NonNullable<ReturnType<typeof parseCaddyVersion>>;

// One of `go install` says `unknown`; its build information has the version.
async function versionOf(path: string): Promise<Version | undefined> {
  const version = parseCaddyVersion((await run(path, ['version'], LIMITS)).stdout);
  if (version !== undefined) return version;
  const { stdout } = await run(path, ['build-info'], LIMITS);
  const module = /^(?:mod|dep)\s+github\.com\/caddyserver\/caddy\/v2\s+(\S+)/m;
  return parseCaddyVersion(module.exec(stdout)?.[1] ?? '');
}

function judgeProgram(name: string, path: string, version: Version): Line {
  const seen = `${quoted(path)} is Caddy ${version.text}`;
  if (unsafeBecause(version).length > 0) {
    const mend = `install ${CADDY_FLOOR} or later, and start it again`;
    return wrong(name, `${quoted(path)}: ${describeUnsafe(version)}`, mend);
  }
  const better = describeUnadvised(version.text);
  return better === undefined
    ? well(name, `${seen}; whether it is the one that runs, only its machine can say`)
    : warning(name, `${quoted(path)}: ${better}`, 'install it, and start Caddy again');
}
