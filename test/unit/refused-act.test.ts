// What the log says was refused under /.signet/.
import { expect, test } from '@jest/globals';
import { failedText, refusedAct, refusedText } from '../../sidecar/http/refused-act.ts';

test.each([
  ['/.signet/login', 'a sign-in'],
  ['/.signet/callback', 'a sign-in'],
  ['/.signet/callback/partners', 'a sign-in'],
  ['/.signet/hand-over', 'a sign-in'],
  ['/.signet/accept', 'a sign-in'],
  ['/.signet/logout', 'a sign-out'],
  ['/.signet/back-channel-logout', 'a back-channel logout'],
  ['/.signet/back-channel-logout/partners', 'a back-channel logout'],
  ['/.signet/me', 'a request'],
  ['/.signet/login-else', 'a request'],
])('at %s it is %s', (path, act) => {
  expect(refusedAct(path)).toBe(act);
});

test('of one that was refused the log has one sentence, whatever the reason', () => {
  expect(refusedText('a sign-in', 'state-mismatch')).toBe('a sign-in was refused');
});

test.each([
  [1, '1 more sign-in was refused: state-mismatch; this is the latest'],
  [1_204, '1,204 more sign-ins were refused: state-mismatch; this is the latest'],
])('of %d more it has: %s', (more, text) => {
  expect(refusedText('a sign-in', 'state-mismatch', more)).toBe(text);
});

test('of requests that failed it says so', () => {
  expect(failedText()).toBe('a request failed and was refused');
  expect(failedText(3)).toBe('3 more requests were refused, having failed; this is the latest');
});
