// The screen of `signet status`: what is told of each part, and how.
import { describe, expect, test } from '@jest/globals';
import type { StatusAnswer, StatusCheck } from '../../sidecar/commands/status-answer.ts';
import {
  statusJson,
  statusText,
  type Found,
  type Screen,
} from '../../sidecar/commands/status-text.ts';
import { checksOf } from '../fixtures/status.ts';

const NOW_MS = Date.parse('2026-11-21T18:00:00.000Z');
const SCREEN: Screen = { width: 200, colour: false, nowMs: NOW_MS };

function screenOf(
  checks: Readonly<Record<string, StatusCheck>>,
  { screen = {}, ...changes }: Partial<Found> & { screen?: Partial<Screen> } = {},
  more: Partial<StatusAnswer> = {},
): string {
  const answer: StatusAnswer = { status: 'ready', checks, ...more };
  const found = { address: '127.0.0.1:9465', answer, traffic: undefined, ...changes };
  return statusText(found, { ...SCREEN, ...screen });
}

const lineOf = (text: string, name: string) =>
  text
    .split('\n')
    .find((line) => line.trimStart().startsWith(name))
    ?.trim()
    .replaceAll(/ +/g, ' ');

test('its head says what runs, how it stands, since when and where it was asked', () => {
  const started_at = '2026-11-21T15:55:00.000Z';
  const text = screenOf({}, {}, { status: 'degraded', version: '0.1.0', node: '24.1', started_at });
  expect(text.split('\n')[0]).toBe(
    'Signet 0.1.0 is degraded   up 2 h 5 min, Node 24.1, asked at 127.0.0.1:9465',
  );
});

test('an older Signet, which does not tell its version, has a head all the same', () => {
  expect(screenOf({}).split('\n')[0]).toBe('Signet is ready   asked at 127.0.0.1:9465');
});

describe('the line of', () => {
  test.each<[string, StatusCheck, string]>([
    ['gate', { ok: true, listen: '/run/s.sock' }, 'gate ok at /run/s.sock'],
    ['provider', { ok: true, issuer: 'https://a.example' }, 'provider ok https://a.example'],
    ['keys', { ok: true, seals: 'ab12', count: 2 }, 'keys ok sealed by ab12, in the ring: 2'],
    [
      'configuration',
      {
        ok: true,
        file: '/etc/signet.yaml',
        read_at: '2026-11-21T17:59:48.000Z',
        waits_for_restart: ['access_log', 'state'],
      },
      'configuration ok /etc/signet.yaml, read 12 s ago, waits for a restart: access_log, state',
    ],
    [
      'recorder',
      { ok: true, rows: 1, lagBytes: 1500, setAside: 2, lost: 3, unexplained: 4 },
      'recorder ok 1 row, 1.5 kB of the log behind, 2 set aside, 3 lost, 4 unexplained',
    ],
    ['decisions', { ok: true, open: 1, overdue: 0 }, 'decisions ok 1 open, 0 overdue'],
    ['retention', { ok: true, removedUpTo: 0 }, 'retention ok no row was old enough yet'],
    [
      'retention',
      { ok: true, removedUpTo: 1200, waiting: { collector: {} } },
      'retention ok removed up to row 1,200, old rows wait for collector',
    ],
    ['later', { ok: true, novel: 7, more: true }, 'later ok novel 7, more true'],
    [
      'metrics x',
      { ok: true, lastSentAt: '2026-11-20T17:00:00.000Z' },
      'metrics x ok last sent 1 d 1 h ago',
    ],
  ])('%s', (name, check, line) => {
    expect(lineOf(screenOf({ [name]: check }), name)).toBe(line);
  });

  test('a problem of several lines is shown as such, with what stands further in', () => {
    const problem = '2 settings need mending.\n\n  a.yaml: hosts\n    read:    7\x1b[2J';
    const text = screenOf({ configuration: { ok: false, problem } });
    const shown = text.split('\n').map((line) => line.trimEnd());
    const at = shown.findIndex((line) => line.endsWith('2 settings need mending.'));
    expect(shown[at + 1]).toMatch(/^ +a\.yaml: hosts$/);
    expect(shown[at + 2]).toMatch(/^ +read:    7\\x1b\[2J$/);
    expect(shown[at + 2]?.search(/\S/)).toBe((shown[at + 1]?.search(/\S/) ?? 0) + 2);
  });

  test('a destination says its status, what waits, and what was left out, if anything', () => {
    const leftOut = { refused: 5, rejected: 0, 'budget-day': 7 };
    const check = { ok: true, status: 'refusing', waiting: 2, sent: 1000, leftOut };
    expect(lineOf(screenOf({ 'destination x': check }), 'to x')).toBe(
      'to x ok refusing, 2 rows waiting, 1,000 sent, left out: 5 refused, 7 budget-day',
    );
  });

  test('the store has its chain and its last signed head from the recorder', () => {
    const head = { chain: 'c1', sequence: 1234, signedAtUs: (NOW_MS - 60_000) * 1000 };
    const checks = {
      recorder: { ok: true, head },
      store: { ok: true, place: '/a.db', bytes: 812 },
    };
    expect(lineOf(screenOf(checks), 'store')).toBe(
      'store ok /a.db, chain c1, 812 bytes, signed up to row 1,234 1 min ago',
    );
  });
});

test('fields that are of another kind than ours are left out, and break nothing', () => {
  const recorder = { ok: true, rows: 'many', lagBytes: null, head: [], setAside: {} };
  expect(lineOf(screenOf({ recorder }), 'recorder')).toBe('recorder ok');
});

test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
  'a part that is called %s is one like others',
  (name) => {
    const checks = JSON.parse(`{"${name}":{"ok":true,"novel":7}}`) as Record<string, StatusCheck>;
    expect(lineOf(screenOf(checks), name)).toBe(`${name} ok novel 7`);
  },
);

test('numbers that count nothing in this world are left out', () => {
  const head = { chain: 'c1', sequence: 1e300, signedAtUs: -1e300 };
  const recorder = { ok: true, head, rows: 1e300, lagBytes: -5 };
  const leftOut = { refused: 1e300, rejected: -1, other: '7' };
  const text = screenOf({ recorder, 'destination x': { ok: true, leftOut } });
  expect(lineOf(text, 'recorder')).toBe('recorder ok');
  expect(lineOf(text, 'store')).toBe('store ok chain c1');
  expect(lineOf(text, 'to x')).toBe('to x ok');
});

test('of a list only texts are told', () => {
  const configuration = { ok: true, waits_for_restart: ['state', { toString: 1 }, null] };
  expect(lineOf(screenOf({ configuration }), 'configuration')).toBe(
    'configuration ok waits for a restart: state',
  );
});

test('a problem is told whole, in lines that fit the terminal', () => {
  const problem = Array.from({ length: 60 }, (_, index) => `word${index}`).join(' ');
  const text = screenOf({ journal: { ok: false, problem } }, { screen: { width: 80 } });
  expect(text.replaceAll(/\s+/g, ' ')).toContain(problem);
  expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(80);
});

test('a part that fails is told as such', () => {
  const sessions = { ok: false, problem: 'the disk is full' };
  expect(lineOf(screenOf({ sessions }), 'sessions')).toBe('sessions FAILS');
  expect(lineOf(screenOf({ sessions }), 'the disk')).toBe('the disk is full');
});

test('nothing that came over the wire reaches the terminal as an order', () => {
  const evil = '\u001b]0;x\u0007\u202e\u009b2J\nnext';
  const check = { ok: false, problem: evil, listen: evil, [evil]: evil };
  const text = screenOf(
    { gate: check, [evil]: check, [`destination ${evil}`]: { ...check, status: evil } },
    { traffic: { requests: 1, byDecision: { [evil]: 1 } } },
    { version: evil, node: evil },
  );
  expect(text).not.toMatch(/[\p{Cf}]|(?!\n)\p{Cc}/u);
  expect(text).toContain(String.raw`\x1b]0;x\x07\u202e\x9b2J\x0anext`);
});

test('colours are there when asked for, and only then', () => {
  const checks = checksOf({ journal: { ok: false, problem: 'gone' } });
  expect(screenOf(checks)).not.toContain('\u001b');
  expect(screenOf(checks, { screen: { colour: true } })).toContain('\u001b[31m');
});

describe('the traffic', () => {
  test('is told by decision, with how long requests took', () => {
    const byDecision = { allow: 1200, deny: 34 };
    const text = screenOf({}, { traffic: { requests: 1234, byDecision, p95Seconds: 0.0123 } });
    expect(lineOf(text, 'since the start')).toBe(
      'since the start 1,234 requests: 1,200 allow, 34 deny, 95 % within 12 ms',
    );
  });

  test('in JSON has its time in microseconds at the finest', () => {
    const traffic = { requests: 1, byDecision: {}, p95Seconds: 0.06999999999999999 };
    const answer: StatusAnswer = { status: 'ready', checks: {} };
    expect(statusJson({ address: 'a', answer, traffic })).toContain('"p95Seconds":0.07}');
  });

  test('that there was none is told, too', () => {
    const text = screenOf({}, { traffic: { requests: 0, byDecision: {} } });
    expect(lineOf(text, 'since the start')).toBe('since the start 0 requests');
  });

  test('without metrics it is not known', () => {
    expect(screenOf({})).toContain('traffic is not known');
  });
});

test('what is asked for first comes first, whatever order it came in', () => {
  const text = screenOf({ zebra: { ok: true }, recorder: { ok: true }, gate: { ok: true } });
  const names = ['gate', 'recorder', 'zebra'].map((name) => text.indexOf(`\n  ${name}`));
  expect(names).toEqual(names.toSorted((one, two) => one - two));
});
