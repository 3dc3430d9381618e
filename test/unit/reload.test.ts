// When a configuration that was refused is tried again, and what is told of it.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Fault, type FaultCode } from '../../sidecar/fault.ts';
import { createReload, type Reload, type Taken } from '../../sidecar/reload/reload.ts';
import { until } from '../fixtures/until.ts';

const TAKEN: Taken = { changed: ['issuer'], waits: [] };

let answers: (Taken | Fault)[];
let takes: number;
let told: string[];
let reload: Reload;

beforeEach(() => {
  [answers, takes, told] = [[], 0, []];
  const tell = (_fields: object, text: string) => void told.push(text);
  reload = createReload({
    file: '/etc/signet/signet.yaml',
    take: async () => {
      takes += 1;
      const answer = answers.shift() ?? TAKEN;
      if (answer instanceof Fault) throw answer;
      return answer;
    },
    now: Date.now,
    log: { info: tell, warn: tell, error: tell },
    againMs: 20,
  });
});
afterEach(() => reload.close());

test.each<FaultCode>(['ERR_PROVIDER', 'ERR_RECORDER'])(
  'what is refused by %s, which passes by itself, is tried again until it is taken',
  async (code) => {
    answers = [new Fault(code, 'away'), new Fault(code, 'still away')];
    reload.request('a file has changed');
    await until('it is taken', () => reload.state().ok && takes === 3);
    expect(told.at(-1)).toBe('the configuration was read anew, and holds');
  },
);

test('what is wrong with the files themselves is tried again when they change, and not before', async () => {
  answers = [new Fault('ERR_CONFIG', 'hosts: 7'), new Fault('ERR_PROVIDER', 'away')];
  reload.request('a file has changed');
  await until('the refusal', () => !reload.state().ok);
  expect(reload.state().problem).toContain('hosts: 7');
  reload.request('a file has changed');
  await until('it is taken', () => reload.state().ok);
  // Once for each request, and once more for the provider.
  expect(takes).toBe(3);
});

test('settings that wait for a restart are named until they are what they were', async () => {
  answers = [{ changed: [], waits: ['listen'] }];
  reload.request('a file has changed');
  await until('it waits', () => reload.state().waits_for_restart !== undefined);
  expect(reload.state().waits_for_restart).toEqual(['listen']);
  reload.request('a file has changed');
  await until('it is over', () => reload.state().waits_for_restart === undefined);
  expect(told).toContain('the settings that waited for a start are again what they were');
});

test('after it is closed nothing is taken any more', async () => {
  answers = [new Fault('ERR_PROVIDER', 'away')];
  reload.request('a file has changed');
  await reload.close();
  const before = takes;
  reload.request('SIGHUP');
  await reload.close();
  expect(takes).toBe(before);
});

test('what becomes of sessions that are open is told beside what has changed', async () => {
  answers = [{ changed: ['claims'], waits: [], sessions: ['open sessions keep their roles'] }];
  reload.request('a file has changed');
  await until('it is told', () => told.length > 1);
  expect(told).toEqual([
    'the configuration was read anew, and holds',
    'open sessions keep their roles',
  ]);
});
