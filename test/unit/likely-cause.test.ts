// What is said when decisions have no line: the surest cause that fits what is known.
import { expect, test } from '@jest/globals';
import { likelyCause, type LossFacts } from '../../sidecar/decisions/likely-cause.ts';

/** Some of the lines of `orders` are missing in a sound log. */
function facts(changes: Partial<LossFacts> = {}): LossFacts {
  return {
    missing: new Map([['orders', 1]]),
    recorded: new Map([['orders', 1000]]),
    hasLog: true,
    isLogDiskFull: false,
    isMachineRestarted: false,
    ...changes,
  };
}

test.each([
  ['a full disk', { isLogDiskFull: true }, /the disk of Caddy's log is full/],
  ['log files that went unread', { logGap: 'up to 3 files' }, /removed before .*up to 3 files/],
  ['a restarted machine', { isMachineRestarted: true }, /the machine was restarted/],
  ['no log', { hasLog: false }, /`log` is off .* SIGNET_ACCESS_LOG is another file/],
  ['a log of something else', { recorded: new Map<string, number>() }, /no line of any decision/],
  [
    'a route that never had a line',
    { missing: new Map([['admin', 3]]) },
    /no line of route `admin` has come, .* `log_skip`, or a site without `import signet`/,
  ],
  [
    'a route of which many lines are missing',
    { missing: new Map([['orders', 900]]) },
    /a part of the lines of route `orders` is missing: `sampling`/,
  ],
  ['a few lines that are missing', {}, /single lines are missing: Caddy was killed/],
  ['lines of nobody knows which route', { missing: new Map<string, number>() }, /single lines/],
])('%s', (_, changes, sentence) => {
  expect(likelyCause(facts(changes))).toMatch(sentence);
});

test('three routes are named, and the others counted', () => {
  const missing = new Map(['d', 'b', 'e', 'a', 'c'].map((route) => [route, 1]));
  expect(likelyCause(facts({ missing }))).toContain('of routes `a`, `b`, `c`, and 2 more has come');
});

test('a route may be called like a property of every object', () => {
  const missing = new Map([['__proto__', 1]]);
  expect(likelyCause(facts({ missing }))).toContain('`__proto__`');
});
