// `signet spans` as a process of its own, on a store that is there.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createVolume, volumeNote } from '../../sidecar/delivery/volume.ts';
import type { SpansSettings } from '../../sidecar/commands/spans.ts';
import { openCommand, type AuditCommand } from '../fixtures/audit-command.ts';
import type { Ended } from '../fixtures/cli.ts';
import { aFullRow, aRow, STARTED_AT_US } from '../fixtures/rows.ts';

let audit: AuditCommand;
beforeEach(async () => void (audit = await openCommand()));
afterEach(() => audit.stop());

const COMMAND = new URL('../../sidecar/commands/spans.ts', import.meta.url).href;

const UNKNOWN = { problem: 'read nothing at SIGNET_DESTINATION' };

async function run(
  args: readonly string[],
  found: SpansSettings | typeof UNKNOWN = UNKNOWN,
): Promise<Ended> {
  const place = { path: `${audit.folder}/audit.db` };
  const script = `
    import { spansCommand } from ${JSON.stringify(COMMAND)};
    const locate = (state) => ({
      place: state === undefined ? ${JSON.stringify(place)} : { path: state + '/audit.db' },
      stateFolder: '/nonexistent',
    });
    const settings = () => (${JSON.stringify(found)});
    await spansCommand({ locate, settings }).parseAsync(process.argv.slice(1), { from: 'user' });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, '--', ...args]);
  let out = '';
  let err = '';
  child.stdout.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr.on('data', (text: Buffer) => (err += text.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, out, err };
}

const SETTINGS: SpansSettings = {
  slowUs: 2_000_000,
  destinations: [{ name: 'one', signals: ['traces'], budget: { spansPerDay: 100 } }],
};
const IN_THEIR_TIME = ['--since', '2026-11-20T00:00Z', '--until', '2026-11-21T00:00Z'];

test('prints one JSON object where no terminal reads it', async () => {
  await audit.commitRows(aFullRow(), aRow({ route: 'find' }, 2), aRow({ sampled: false }, 3));
  const volume = createVolume(undefined);
  volume.add(STARTED_AT_US / 1000, 4);
  await audit.store.moveCursor('one', 3, { [volumeNote('one')]: volume.toNote() });
  const { code, out, err } = await run(IN_THEIR_TIME, SETTINGS);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(JSON.parse(out)).toMatchObject({
    since: '2026-11-20T00:00:00.000000Z',
    requests: 3,
    spans: 4,
    groups: [
      { team: 'payments', route: 'orders', requests: 2, spans: 3 },
      { team: 'payments', route: 'find', requests: 1, spans: 1 },
    ],
    destinations: [{ name: 'one', sent: 4, leftOut: {}, budget: { spansPerDay: 100 } }],
  });
});

test('takes a ratio, a grouping and a limit', async () => {
  await audit.commitRows(...[1, 2, 3, 4].map((number) => aRow({ sampled: false }, number)));
  await audit.commitRows(aRow({ identity: { ...aRow().identity!, team: 'ops' } }, 5));
  const args = [...IN_THEIR_TIME, '--ratio', '0.5', '--by', 'team', '--limit', '1'];
  const { out } = await run(args, SETTINGS);
  expect(JSON.parse(out)).toMatchObject({
    groups: [{ team: 'payments', requests: 4, spans: 2 }],
    rest: { groups: 1, requests: 1 },
  });
});

test('without settings of what is sent it says what is missing, and counts all the same', async () => {
  await audit.commit(1);
  const { code, out, err } = await run(IN_THEIR_TIME);
  expect({ code, err }).toMatchObject({ code: 0, err: expect.stringContaining(UNKNOWN.problem) });
  expect(JSON.parse(out)).toMatchObject({ spans: 1, destinations: [] });
});

test('beside a store that is named nobody expects settings', async () => {
  await audit.commit(1);
  const { code, err } = await run([...IN_THEIR_TIME, '--state', audit.folder]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
});

test('a time that is still to come is told as such', async () => {
  const { code, err } = await run(['--since', '2999-01-01'], SETTINGS);
  expect({ code, err }).toEqual({ code: 2, err: 'error: --since lies ahead\n' });
});

test.each([
  ['--ratio', '1.5'],
  ['--by', 'user'],
  ['--limit', '0'],
  ['--since', 'yesterday'],
  ['--since', '1h', '--until', '2h'],
])('%s %s ends with 2', async (...args) => {
  expect((await run(args.filter(Boolean), SETTINGS)).code).toBe(2);
});

test('without a store it ends with 66', async () => {
  expect((await run(['--state', '/nonexistent'], SETTINGS)).code).toBe(66);
});
