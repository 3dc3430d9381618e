// What a report says of where it was made, and whether what is needed is there.
import { execFileSync } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { findCaddy } from '../../caddy/find.ts';
import { VERSION } from '../../sidecar/version.ts';
import { allowedCores } from './edge-processes.ts';

export type Machine = {
  readonly cpu: string;
  /** Those that the benchmark may use. */
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  /** Where stores and logs were written. */
  readonly disk: string;
  readonly versions: Readonly<Record<string, string>>;
};

/** By the number in statfs(2). */
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0xef53: 'ext4',
  0x01021994: 'tmpfs: in memory',
  0x794c7630: 'overlay',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
};

/** Returns what is missing and how to get it; empty when the benchmark can run. */
export function findMissing(): readonly string[] {
  const missing: string[] = [];
  if (!existsSync('/proc/self/schedstat')) {
    missing.push('Linux with /proc/PID/schedstat: CPU is read there');
  }
  if (versionOf('h2load') === undefined) {
    missing.push('h2load, of nghttp2 (Debian: apt-get install nghttp2-client)');
  }
  if (versionOf('taskset') === undefined) {
    missing.push('taskset, of util-linux (Debian: apt-get install util-linux)');
  }
  return missing;
}

/** Returns what this machine is, with the version of everything that takes part. */
export async function describeMachine(proxy: string): Promise<Machine> {
  const caddy = await findCaddy({ env: process.env, say: () => {} });
  const type = statfsSync(tmpdir()).type;
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: allowedCores().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    disk: FILE_SYSTEMS[type] ?? `file system ${type.toString(16)}`,
    versions: {
      signet: VERSION,
      commit: commit(),
      node: process.version,
      caddy: caddy.version,
      h2load: versionOf('h2load') ?? '',
      'oauth2-proxy': proxy,
    },
  };
}

function versionOf(program: string): string | undefined {
  return run(program, ['--version'])
    ?.trim()
    .split('\n')[0]
    ?.replace(/^h2load /, '');
}

function commit(): string {
  const head = run('git', ['rev-parse', '--short', 'HEAD'])?.trim();
  if (head === undefined) return 'unknown';
  return run('git', ['status', '--porcelain']) === '' ? head : `${head}, with changes`;
}

function run(program: string, args: readonly string[]): string | undefined {
  try {
    const stdio = ['ignore', 'pipe', 'ignore'] as const;
    return execFileSync(program, args, { stdio: [...stdio], encoding: 'utf8' });
  } catch {
    return undefined;
  }
}
