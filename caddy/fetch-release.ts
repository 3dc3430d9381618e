// Fetches Caddy as the project publishes it: the archive of a release, held against the release's list of
// checksums. Both come from one place, for which https vouches: the list tells what is damaged, not who made it.
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { download } from './download.ts';
import type { FetchOptions, FetchWay } from './fetch-way.ts';
import type { Bounds } from './patience.ts';
import { type Machine, publishedSha512, releaseFiles } from './release.ts';
import { unpackProgram } from './unpack.ts';
import { CADDY_FETCHED } from '../sidecar/edge/version.ts';

const GITHUB = 'https://github.com/caddyserver/caddy/releases/download';

export type ReleaseLimits = Bounds & {
  readonly checksumsBytes: number;
  readonly archiveBytes: number;
  /** Of all that the archive unpacks to. */
  readonly unpackedBytes: number;
};

/** The time is that of one file. Archives have some 20 MB, and unpack to some 50. */
const LIMITS: ReleaseLimits = {
  silenceMs: 10_000,
  totalMs: 10 * 60_000,
  checksumsBytes: 256 * 1024,
  archiveBytes: 100 * 1024 * 1024,
  unpackedBytes: 250 * 1024 * 1024,
};

export type ReleaseSource = {
  /** Where the folders of the releases are: an https URL without a slash at its end. Default GitHub's. */
  readonly releases?: string;
  /** Default this one. */
  readonly machine?: Machine;
  readonly limits?: Partial<ReleaseLimits>;
  /** Whom to believe in place of Node's authorities, PEM. */
  readonly ca?: string;
};

/**
 * Returns the way by release archive: some seconds. Where it leads is a parameter, for the tests, and never
 * read from the environment: with it goes the say over which program runs, its checksum included.
 */
export function createReleaseWay(source: ReleaseSource = {}): FetchWay {
  const folderUrl = `${source.releases ?? GITHUB}/v${CADDY_FETCHED}`;
  const { machine = thisMachine(), ca } = source;
  const limits = { ...LIMITS, ...source.limits };

  async function fetch({ folder, env, say }: FetchOptions): Promise<string> {
    const names = releaseFiles(CADDY_FETCHED, machine);
    const get = (name: string, maxBytes: number) =>
      download({ ...limits, url: new URL(`${folderUrl}/${name}`), env, maxBytes, ca }, say);
    const checksums = await get(names.checksums, limits.checksumsBytes);
    const sha512 = publishedSha512(checksums.toString(), names.archive);
    say(`  ${names.archive}`);
    const archive = await get(names.archive, limits.archiveBytes);
    demandSha512(archive, sha512);
    const path = join(folder, 'caddy');
    const program = await unpackProgram(archive, 'caddy', limits.unpackedBytes);
    await writeFile(path, program, { mode: 0o755, flag: 'wx' });
    return path;
  }

  return { name: `release archive (${folderUrl})`, fetch };
}

function demandSha512(archive: Buffer, published: string): void {
  const sha512 = createHash('sha512').update(archive).digest('hex');
  if (sha512 === published) return;
  const [is, should] = [sha512, published].map((hex) => `${hex.slice(0, 16)}…`);
  throw new Error(`the archive's SHA-512 is ${is}, and was published as ${should}`);
}

function thisMachine(): Machine {
  const { platform, arch, config } = process;
  const armVersion = (config.variables as { arm_version?: unknown }).arm_version;
  return { platform, arch, armVersion: String(armVersion), endianness: endianness() };
}
