// What the Caddy project publishes of a release: the names of its files, and the list of their checksums.
// Names as in its .goreleaser.yml (2.11.9). Opens no connection.

/** The parts of a machine that its archive is named after. */
export type Machine = {
  /** Node's `process.platform`. */
  readonly platform: string;
  /** Node's `process.arch`. */
  readonly arch: string;
  /** Of `arm`: the oldest ARM that this Node runs on (5, 6, 7), which Caddy then runs on, too. */
  readonly armVersion?: string;
  readonly endianness: 'BE' | 'LE';
};

export type ReleaseFiles = { readonly archive: string; readonly checksums: string };

const SYSTEMS = new Map([
  ['linux', 'linux'],
  ['darwin', 'mac'],
]);
const EVERYWHERE = new Map([
  ['x64', 'amd64'],
  ['arm64', 'arm64'],
]);
const ON_LINUX = new Map([...EVERYWHERE, ['riscv64', 'riscv64'], ['s390x', 's390x']]);

/** Returns what the files of a release are called; throws an Error where there is none for this machine. */
export function releaseFiles(version: string, machine: Machine): ReleaseFiles {
  const [system, processor] = [SYSTEMS.get(machine.platform), processorName(machine)];
  if (system === undefined || processor === undefined) {
    throw new Error(`there is no release for ${machine.platform} on ${machine.arch}`);
  }
  return {
    archive: `caddy_${version}_${system}_${processor}.tar.gz`,
    checksums: `caddy_${version}_checksums.txt`,
  };
}

function processorName({ platform, arch, armVersion, endianness }: Machine): string | undefined {
  if (platform !== 'linux') return EVERYWHERE.get(arch);
  if (arch === 'arm') return /^[567]$/.test(armVersion ?? '') ? `armv${armVersion}` : undefined;
  if (arch === 'ppc64') return endianness === 'LE' ? 'ppc64le' : undefined;
  return ON_LINUX.get(arch);
}

/**
 * Returns the SHA-512 of a file, in lower-case hex, by the release's list (`HEX␠␠NAME`, one a line); throws an
 * Error where the list has none.
 */
export function publishedSha512(checksums: string, name: string): string {
  for (const line of checksums.split('\n')) {
    const [hex = '', file] = line.trim().split(/\s+/);
    if (file !== name) continue;
    if (/^[0-9a-f]{128}$/i.test(hex)) return hex.toLowerCase();
    throw new Error(`what the published checksums have for ${name} is no SHA-512`);
  }
  throw new Error(`the published checksums do not name ${name}`);
}
