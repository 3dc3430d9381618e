// Fetches Caddy with apt: Debian unstable's package, downloaded and unpacked, never installed. Works for
// an ordinary user and leaves the system's own apt untouched: everything it writes is in one folder.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './run-command.ts';
import type { FetchWay } from './fetch-way.ts';

const TIMEOUT_MS = 120_000;
const DEFAULT_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** Suites that may stand in a source list in place of the release's codename. */
const OTHER_SUITES = ['stable', 'testing', 'unstable', 'sid'];

/** Where this system gets Debian from, and the keys that it checks it with. */
export type DebianMirror = {
  readonly uri: string;
  /** A keyring file. */
  readonly signedBy: string;
};

/** The way by apt: some five seconds. Its Caddy has no `tracing` directive, which Signet does without. */
export const fetchByApt: FetchWay = {
  name: `apt (Debian unstable, checked against Debian's keys)`,
  async fetch({ folder, env, say }) {
    const mirror = await systemMirror();
    const apt = { env, cwd: folder, timeoutMs: TIMEOUT_MS };
    const architecture = await runCommand({ ...apt, file: 'dpkg', args: ['--print-architecture'] });
    await writeSettings(folder, mirror, architecture.trim());
    const aptGet = (...args: string[]) =>
      runCommand(
        { ...apt, file: 'apt-get', args: ['-q', '-c', join(folder, 'apt.conf'), ...args] },
        say,
      );
    say(`  package lists of ${mirror.uri}`);
    await aptGet('update');
    await aptGet('download', 'caddy');
    const archive = (await readdir(folder)).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error('apt-get downloaded no package');
    await runCommand({ ...apt, file: 'dpkg', args: ['-x', archive, 'unpacked'] });
    return join(folder, 'unpacked/usr/bin/caddy');
  },
};

/**
 * Returns the first Debian archive that these source lists name for the release `codename`, undefined when there
 * is none. Reads both formats of sources.list(5).
 */
export function findMirror(lists: readonly string[], codename: string): DebianMirror | undefined {
  const sources = lists.flatMap((text) => [...oneLineSources(text), ...stanzaSources(text)]);
  const wanted = [codename, ...OTHER_SUITES];
  const found = sources.find(({ suites }) => suites.some((suite) => wanted.includes(suite)));
  if (found === undefined) return undefined;
  // A key may also stand in the list itself; then Debian's own keyring is taken.
  const { uri, signedBy } = found;
  return { uri, signedBy: signedBy?.startsWith('/') === true ? signedBy : DEFAULT_KEYRING };
}

type Source = { readonly uri: string; readonly suites: string[]; readonly signedBy?: string };

/** `deb [signed-by=/a/key] http://mirror suite component…` */
function oneLineSources(text: string): Source[] {
  const lines = text.matchAll(/^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+\S/gm);
  return [...lines].map(([, options = '', uri = '', suite = '']) => {
    const signedBy = /signed-by=(\S+)/i.exec(options)?.[1];
    return { uri, suites: [suite], ...(signedBy !== undefined && { signedBy }) };
  });
}

/** `Types: deb`, `URIs:`, `Suites:`, `Signed-By:`, in stanzas with blank lines between. */
function stanzaSources(text: string): Source[] {
  const field = (stanza: string, name: string) =>
    new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(stanza)?.[1]?.trim();
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const uri = field(stanza, 'URIs')?.split(/\s+/)[0];
    const isBinary = field(stanza, 'Types')?.split(/\s+/).includes('deb') === true;
    if (uri === undefined || !isBinary || /^Enabled:\s*no/im.test(stanza)) return [];
    const signedBy = field(stanza, 'Signed-By');
    const suites = field(stanza, 'Suites')?.split(/\s+/) ?? [];
    return [{ uri, suites, ...(signedBy !== undefined && { signedBy }) }];
  });
}

async function systemMirror(): Promise<DebianMirror> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const value = (name: string) => new RegExp(`^${name}="?([^"\\n]*)`, 'm').exec(release)?.[1];
  if (value('ID') !== 'debian') throw new Error(`this is ${value('ID') ?? 'no Linux'}, not Debian`);
  const mirror = findMirror(await sourceLists(), value('VERSION_CODENAME') ?? 'unstable');
  if (mirror === undefined) throw new Error('no Debian archive in /etc/apt/sources.list*');
  return mirror;
}

async function sourceLists(): Promise<string[]> {
  const parts = '/etc/apt/sources.list.d';
  const names = (await readdir(parts).catch(() => [])).filter((name) =>
    /\.(list|sources)$/.test(name),
  );
  const paths = ['/etc/apt/sources.list', ...names.toSorted().map((name) => join(parts, name))];
  return Promise.all(paths.map((path) => readFile(path, 'utf8').catch(() => '')));
}

/** The system's proxies and credentials stay in force; what would touch the system, or pin, is taken out. */
async function writeSettings(
  folder: string,
  { uri, signedBy }: DebianMirror,
  architecture: string,
) {
  await mkdir(join(folder, 'lists/partial'), { recursive: true });
  await mkdir(join(folder, 'cache/archives/partial'), { recursive: true });
  const source = [
    'Types: deb',
    `URIs: ${uri}`,
    'Suites: unstable',
    'Components: main',
    `Architectures: ${architecture}`,
    'Targets: Packages',
    `Signed-By: ${signedBy}`,
  ];
  await writeFile(join(folder, 'unstable.sources'), `${source.join('\n')}\n`);
  const settings = [
    `Dir::Etc::SourceList "${join(folder, 'unstable.sources')}";`,
    'Dir::Etc::SourceParts "/dev/null";',
    'Dir::Etc::Preferences "/dev/null";',
    'Dir::Etc::PreferencesParts "/dev/null";',
    `Dir::State::Lists "${join(folder, 'lists')}";`,
    `Dir::Cache "${join(folder, 'cache')}";`,
    'Acquire::AllowInsecureRepositories "false";',
    // Fails fast: a mirror that does not answer is asked twice, not four times.
    'Acquire::http::Timeout "10";',
    'Acquire::https::Timeout "10";',
    'Acquire::Retries "1";',
    // Without it a mirror that can't be reached is a warning, and the reason is lost.
    'APT::Update::Error-Mode "any";',
    'APT::Get::AllowUnauthenticated "false";',
    '#clear APT::Default-Release;',
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
  ];
  await writeFile(join(folder, 'apt.conf'), `${settings.join('\n')}\n`);
}
