// How `signet init` puts files on the disk: whole, with their rights, and never over what is there.
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { secret } from '../../sidecar/secret.ts';
import { systemLayout } from '../../sidecar/setup/layout.ts';
import { makeFolders, placeFile } from '../../sidecar/setup/place-files.ts';
import { tellOf } from '../../sidecar/setup/next-steps.ts';
import { plannedFiles } from '../../sidecar/setup/planned-files.ts';
import { hasContent, obstaclesAt } from '../../sidecar/setup/there.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'signet-place-'));
  path = join(folder, 'file');
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const ours = (content: string) => ({ path, mode: 0o644, content });
const modeOf = (at: string) => fs.statSync(at).mode & 0o777;
const textOf = (at: string) => fs.readFileSync(at, 'utf8');

test('a file that isn’t there is written, and no draft stays', () => {
  expect(placeFile(ours('a'), undefined)).toEqual({ path, became: 'written' });
  expect(textOf(path)).toBe('a');
  expect(fs.readdirSync(folder)).toEqual(['file']);
});

test('an equal file is left as it is, with its own rights', () => {
  fs.writeFileSync(path, 'a', { mode: 0o600 });
  const before = fs.statSync(path);
  expect(placeFile(ours('a'), undefined).became).toBe('kept');
  expect(fs.statSync(path)).toMatchObject({ ino: before.ino, mode: before.mode });
  expect(fs.readdirSync(folder)).toEqual(['file']);
});

const WRITE_WHOLE = new URL('../../sidecar/setup/write-whole.ts', import.meta.url).href;

/** A command that is killed when its draft of this file is on the disk. */
function killedAt(file: string): void {
  const script = `
    const { writeWhole } = await import(${JSON.stringify(WRITE_WHOLE)});
    const whole = { text: 'secret', mode: 0o600, groupId: undefined };
    const kill = () => process.kill(process.pid, 'SIGKILL');
    writeWhole(${JSON.stringify(file)}, whole, 'link', kill);`;
  const { signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
  expect(signal).toBe('SIGKILL');
}

/** Sets the time of what is hidden in the folder. */
function age(seconds: number): void {
  const at = Date.now() / 1_000 - seconds;
  const hidden = fs.readdirSync(folder).filter((name) => name.startsWith('.'));
  hidden.forEach((name) => fs.utimesSync(join(folder, name), at, at));
}

test('what killed commands left half a minute ago is removed, and what another one may be writing is not', () => {
  killedAt(path);
  killedAt(`${path}.new`);
  age(25);
  placeFile(ours('a'), undefined);
  expect(fs.readdirSync(folder)).toHaveLength(3);
  age(31);
  expect(placeFile(ours('a'), undefined).became).toBe('kept');
  expect(fs.readdirSync(folder)).toEqual(['file']);
});

test('a different file stays, and ours is beside it', () => {
  fs.writeFileSync(path, 'theirs');
  expect(placeFile(ours('a'), undefined).became).toBe('beside');
  expect([textOf(path), textOf(`${path}.new`)]).toEqual(['theirs', 'a']);
});

test('what is beside it and differs, too, stays as well', () => {
  fs.writeFileSync(path, 'theirs');
  fs.writeFileSync(`${path}.new`, 'the next one');
  expect(placeFile(ours('a'), undefined).became).toBe('held');
  expect([textOf(path), textOf(`${path}.new`)]).toEqual(['theirs', 'the next one']);
  expect(fs.readdirSync(folder)).toEqual(['file', 'file.new']);
});

test('what an earlier run put beside it is still beside it', () => {
  fs.writeFileSync(path, 'theirs');
  placeFile(ours('a'), undefined);
  expect(placeFile(ours('a'), undefined).became).toBe('beside');
});

test('a link that leads nowhere is not followed: ours is beside it', () => {
  fs.symlinkSync(join(folder, 'elsewhere'), path);
  expect(placeFile(ours('a'), undefined).became).toBe('beside');
  expect(fs.existsSync(join(folder, 'elsewhere'))).toBe(false);
});

test('a link in the place of NAME.new is neither replaced nor written through', () => {
  const elsewhere = join(folder, 'elsewhere');
  fs.writeFileSync(elsewhere, 'untouched');
  fs.writeFileSync(path, 'theirs');
  fs.symlinkSync(elsewhere, `${path}.new`);
  expect(placeFile(ours('a'), undefined).became).toBe('held');
  expect([textOf(elsewhere), fs.readlinkSync(`${path}.new`)]).toEqual(['untouched', elsewhere]);
});

test('a link to an empty file is somebody’s arrangement, and stays', () => {
  fs.writeFileSync(join(folder, 'empty'), '');
  fs.symlinkSync(join(folder, 'empty'), path);
  expect(placeFile(ours('a'), undefined).became).toBe('beside');
  expect(fs.readlinkSync(path)).toBe(join(folder, 'empty'));
});

test('a folder or a pipe of that name is told before anything is written, and not waited for', () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  fs.mkdirSync(path);
  expect(obstaclesAt([path, pipe, '/dev/zero', join(folder, 'nothing')])).toEqual([
    `${path} is there, and is no file: take it away first`,
    `${pipe} is there, and is no file: take it away first`,
    '/dev/zero is there, and is no file: take it away first',
  ]);
  expect(placeFile({ ...ours('a'), path: pipe }, undefined).became).toBe('beside');
});

test('a secret is its owner’s alone where there is no group for it, whatever the umask', () => {
  const before = process.umask(0);
  placeFile({ path, mode: 0o640, isShared: true, content: secret('hush') }, undefined);
  process.umask(before);
  expect(modeOf(path)).toBe(0o600);
  expect(textOf(path)).toBe('hush\n');
});

test('a secret can be read by the sidecar’s group where there is one, and a folder entered', () => {
  const group = process.getgid?.() ?? 0;
  const below = join(folder, 'below');
  makeFolders([{ path: below, mode: 0o750, isShared: true }], group);
  const file = { path: join(below, 'file'), mode: 0o640, isShared: true, content: 'hush' } as const;
  placeFile(file, group);
  expect([modeOf(below), modeOf(file.path)]).toEqual([0o750, 0o640]);
  expect(fs.statSync(file.path)).toMatchObject({ uid: process.getuid?.(), gid: group });
});

test('a file for everyone is that under a strict umask, too', () => {
  const before = process.umask(0o077);
  placeFile(ours('a'), undefined);
  process.umask(before);
  expect(modeOf(path)).toBe(0o644);
});

test('a secret that isn’t known yet makes an empty file, which a later one fills', () => {
  const unknown = { path, mode: 0o640, isShared: true, content: undefined } as const;
  expect(placeFile(unknown, undefined).became).toBe('written');
  expect(hasContent(path)).toBe(false);
  expect(placeFile({ ...unknown, content: secret('hush') }, undefined).became).toBe('written');
  expect(textOf(path)).toBe('hush\n');
});

test('a secret that is there stays, whether another one is given or none', () => {
  fs.writeFileSync(path, 'theirs');
  const shared = { path, mode: 0o640, isShared: true } as const;
  expect(placeFile({ ...shared, content: undefined }, undefined).became).toBe('kept');
  expect(placeFile({ ...shared, content: secret('theirs') }, undefined).became).toBe('kept');
  expect(placeFile({ ...shared, content: secret('hush') }, undefined).became).toBe('beside');
  expect([textOf(path), modeOf(`${path}.new`)]).toEqual(['theirs', 0o600]);
});

test('a folder that is there keeps its rights', () => {
  fs.chmodSync(folder, 0o755);
  makeFolders([{ path: folder, mode: 0o700 }], undefined);
  expect(modeOf(folder)).toBe(0o755);
});

const answers = {
  issuer: 'https://login.example.com',
  clientId: 'signet',
  host: { name: 'app.example.com' },
  app: ['unix//run/app.sock'],
  spansTo: { kind: 'profile', profile: 'lightstep', needsToken: true },
} as const;

test('systemd’s layout: what only the sidecar may read, and what Caddy reads', () => {
  const layout = systemLayout(folder);
  makeFolders(layout.folders, undefined);
  const files = plannedFiles({ answers, layout, snippet: '# snippets\n' });
  for (const file of files) placeFile(file, undefined);
  const modes = files.map((file) => [
    file.path.slice(folder.length),
    modeOf(file.path).toString(8),
  ]);
  expect(modes).toEqual([
    ['/signet/client-secret', '600'],
    ['/signet/lightstep-token', '600'],
    ['/signet/signet.yaml', '600'],
    ['/caddy/signet.caddy', '644'],
    ['/caddy/Caddyfile', '644'],
  ]);
  expect([modeOf(join(folder, 'signet')), modeOf(join(folder, 'caddy'))]).toEqual([0o750, 0o755]);
});

function told(other: Partial<Parameters<typeof tellOf>[0]> = {}): string {
  const layout = systemLayout();
  const placed = [{ path: layout.settings, became: 'written' } as const];
  const rest = {
    empty: [],
    open: [],
    closed: [],
    hasGroup: true,
    program: 'signet',
    unitsFolder: '/opt/signet/deploy/systemd',
    scopes: ['openid'],
    hasOfflineAccess: false,
  };
  return tellOf({ answers, layout, placed, ...rest, ...other });
}

test('what to register at the provider is told', () => {
  expect(told()).toContain('https://app.example.com/.signet/callback');
});

test('where the provider has offline_access, it is told what re-checks of sessions take', () => {
  expect(told({ hasOfflineAccess: true })).toContain('`scopes: [openid, offline_access]`');
  expect(told({ hasOfflineAccess: true })).toContain('the grant type refresh_token');
  expect(told()).not.toContain('offline_access');
});

test('at Keycloak nothing is told of offline_access: its tokens would outlive signing out', () => {
  const issuer = 'https://login.example.com/realms/example';
  const text = told({ answers: { ...answers, issuer }, hasOfflineAccess: true });
  expect(text).not.toContain('offline_access');
});

test('systemd’s commands are told in their order', () => {
  expect(told()).toMatch(/systemctl enable --now signet\n.*systemctl restart caddy\n/);
});

test('without a group for the secrets it is told who makes it, and how they come to it', () => {
  expect(told({ hasGroup: false })).toContain('Install the units in /opt/signet/deploy/systemd');
  expect(told({ hasGroup: false })).toContain('chgrp signet /etc/signet /etc/signet/signet.yaml');
  expect(told()).not.toContain('chgrp');
});

test('an empty secret, and what has to be brought over, come before the start', () => {
  const { caddyfile, clientSecret } = systemLayout();
  const text = told({ empty: [clientSecret], placed: [{ path: caddyfile, became: 'beside' }] });
  expect(text).toMatch(/diff -u \/etc\/caddy\/Caddyfile [^]*Write the secret into [^]*systemctl/);
});

test('what is in the way of the new text is named, with what to do', () => {
  const { clientSecret } = systemLayout();
  const text = told({ placed: [{ path: clientSecret, became: 'held' }] });
  expect(text).toContain(`Take ${clientSecret}.new away`);
});

test('rights that are wrong are told with the command that mends them', () => {
  const { clientSecret, settings, caddyfile } = systemLayout();
  const text = told({
    open: [
      { path: clientSecret, mode: 0o640, isSecret: true },
      { path: caddyfile, mode: 0o644 },
    ],
    closed: [{ path: settings, mode: 0o640 }],
  });
  expect(text).toContain(`secret in ${clientSecret}:  chmod 640 ${clientSecret}`);
  expect(text).toContain(`write to ${caddyfile}:  chmod 644 ${caddyfile}`);
  expect(text).toContain(`chgrp signet ${settings} && chmod 640 ${settings}`);
});

test('another secret is not put on the screen', () => {
  const { clientSecret } = systemLayout();
  const text = told({ placed: [{ path: clientSecret, became: 'beside' }] });
  expect(text).not.toContain('diff -u');
  expect(text).toContain(`${clientSecret}.new`);
});

test('with an app on a unix socket Caddy’s unit needs a variable', () => {
  expect(told()).toContain('SIGNET_GATE_KEEPALIVE=off');
});
