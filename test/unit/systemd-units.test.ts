// The units of deploy/systemd as systemd itself judges them, and what has to agree between them and the snippets.
// Needs Debian's package `systemd` for its tools; that systemd runs is not needed.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { SNIPPETS } from '../fixtures/caddy.ts';
import { makeFolder } from '../fixtures/sidecar.ts';

const UNITS = fileURLToPath(new URL('../../deploy/systemd', import.meta.url));
/** As much of the unit of Caddy's packages as the drop-in is about. */
const CADDYS_OWN = `[Service]
Type=notify
User=caddy
Group=caddy
ExecStart=/bin/true
`;
/** systemd-analyze calls less than 2 "OK", and most services of a distribution are above 9. */
const EXPOSURE_BELOW = 2;

let folder: string;
let remove: () => void;
beforeEach(() => {
  ({ folder, remove } = makeFolder());
  cpSync(UNITS, folder, { recursive: true });
});
afterEach(() => remove());

const read = (name: string) => readFileSync(join(UNITS, name), 'utf8');
const settingOf = (name: string, key: string) =>
  new RegExp(`^${key}=(.*)$`, 'm').exec(read(name))?.[1];

/** Returns what `systemd-analyze verify` complains about; units are looked for in the folder first. */
function complaints(...units: string[]): string {
  const env = { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` };
  const paths = units.map((unit) => join(folder, unit));
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', ...paths], {
    env,
    encoding: 'utf8',
  });
  // Of other units, those of the machine, it says things, too.
  const ours = `${stdout}${stderr}`.split('\n').filter((line) => /signet|caddy/.test(line));
  return [...ours, ...(status === 0 ? [] : [`status ${status}`])].join('\n');
}

test('systemd has nothing to say against the service and the socket', () => {
  expect(complaints('signet.service', 'signet.socket')).toBe('');
});

test("systemd has nothing to say against the drop-in for Caddy's own unit", () => {
  writeFileSync(join(folder, 'caddy.service'), CADDYS_OWN);
  expect(complaints('caddy.service')).toBe('');
});

test('the service is hardened as far as Node allows', () => {
  const args = ['security', '--offline=true', '--no-pager', join(folder, 'signet.service')];
  const told = execFileSync('systemd-analyze', args, { encoding: 'utf8' });
  const level = Number(/exposure level for signet\.service: ([\d.]+)/.exec(told)?.[1]);
  expect(level).toBeLessThan(EXPOSURE_BELOW);
});

test('users and groups come out as sysusers.d says: signet with its state folder, and a group for Caddy', () => {
  mkdirSync(join(folder, 'root', 'etc'), { recursive: true });
  chmodSync(folder, 0o755);
  const file = join(folder, 'sysusers.d', 'signet.conf');
  execFileSync('systemd-sysusers', [`--root=${join(folder, 'root')}`, file], { stdio: 'pipe' });
  const etc = (name: string) => readFileSync(join(folder, 'root', 'etc', name), 'utf8');
  expect(etc('passwd')).toMatch(/^signet:x:\d+:\d+:Signet:\/var\/lib\/signet:\S*nologin$/m);
  expect(etc('group')).toMatch(/^caddy:x:\d+:$/m);
});

test('the socket lies where the snippets ask, in a folder that tmpfiles.d makes for Caddy alone', () => {
  const path = settingOf('signet.socket', 'ListenStream');
  expect(readFileSync(SNIPPETS, 'utf8')).toContain(`{$SIGNET_SOCKET:unix/${path}}`);
  expect(read('tmpfiles.d/signet.conf')).toMatch(/^d \/run\/signet 2750 signet caddy -$/m);
  expect(path).toMatch(/^\/run\/signet\/[^/]+$/);
});

test('only Signet and the group of Caddy get at the socket', () => {
  const keys = ['SocketUser', 'SocketGroup', 'SocketMode'];
  expect(keys.map((key) => settingOf('signet.socket', key))).toEqual(['signet', 'caddy', '0660']);
});

test("the log's folder is the snippets', and only Caddy and its group get at it", () => {
  const dropIn = 'caddy.service.d/signet.conf';
  const log = `/var/log/${settingOf(dropIn, 'LogsDirectory')}`;
  expect(readFileSync(SNIPPETS, 'utf8')).toContain(`{$SIGNET_ACCESS_LOG:${log}/`);
  expect(settingOf(dropIn, 'LogsDirectoryMode')).toBe('0750');
  expect(settingOf('signet.service', 'SupplementaryGroups')).toBe('caddy');
});

test('a stop is given more time than the sidecar takes for answering, recording and delivering', () => {
  const [answeringS, recordingS, deliveringS] = [5, 8, 3];
  const seconds = Number(settingOf('signet.service', 'TimeoutStopSec'));
  expect(seconds).toBeGreaterThan(answeringS + recordingS + deliveringS);
});
