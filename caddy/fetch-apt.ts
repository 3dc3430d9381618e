// Fetches Caddy with apt: Debian unstable's package, downloaded and unpacked, never installed. Works for
// an ordinary user and leaves the system's own apt untouched: everything it writes is in one folder.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findMirror } from './debian-mirror.ts';
import { runCommand } from './run-command.ts';
import type { FetchWay } from './fetch-way.ts';

const TIMEOUT_MS = 120_000;
/** Debian's own, whatever a source list names: another vendor's archive fails by its signature. */
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

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
    say(`  package lists of ${mirror}`);
    await aptGet('update');
    await aptGet('download', 'caddy');
    const archive = (await readdir(folder)).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error('apt-get downloaded no package');
    await runCommand({ ...apt, file: 'dpkg', args: ['-x', archive, 'unpacked'] });
    return join(folder, 'unpacked/usr/bin/caddy');
  },
};

async function systemMirror(): Promise<string> {
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
async function writeSettings(folder: string, mirror: string, architecture: string) {
  await mkdir(join(folder, 'lists/partial'), { recursive: true });
  await mkdir(join(folder, 'cache/archives/partial'), { recursive: true });
  const source = [
    'Types: deb',
    `URIs: ${mirror}`,
    'Suites: unstable',
    'Components: main',
    `Architectures: ${architecture}`,
    'Targets: Packages',
    `Signed-By: ${KEYRING}`,
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
