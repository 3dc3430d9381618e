// What the log says was refused under /.signet/.
import { expect, test } from '@jest/globals';
import { refusedAct } from '../../sidecar/http/refused-act.ts';

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
