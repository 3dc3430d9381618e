// What the fuzzing of the parsers has found, one test each, as small as it could be made.
import { expect, test } from '@jest/globals';
import { safeReturnUrl, signInPath } from '../../sidecar/identity/return-url.ts';
import { createLogoutTokens } from '../../sidecar/identity/logout-token.ts';
import { joinBaggage } from '../../sidecar/trace/baggage.ts';
import { createRedact } from '../../sidecar/trace/redact.ts';

const OURS = 'user.id=alice,user_type=human';

test.each([
  ['a space that is none of HTTP’s behind a key', 'a\u00a0=1'],
  ['a space that is none of HTTP’s before a value', 'a=\u00a01'],
  ['a % that encodes nothing', 'a=50%'],
  ['a property without a name', 'a=1;'],
  ['a property with a space in its name', 'a=1;x y'],
  ['a property whose value is none', 'a=1;p="q"'],
])('baggage: %s takes its member with it, and no other', (_what, member) => {
  expect(joinBaggage(OURS, `${member},keep=1`)).toBe(`${OURS},keep=1`);
});

test('baggage: an encoded value and properties of either kind go along', () => {
  const members = 'a=50%25;p;q=%41;r = s,b = c ';
  expect(joinBaggage(OURS, members)).toBe(`${OURS},${members.trimEnd()}`);
});

test.each(['/%EF%25BC%BC', '/%EF%25BC%8F', '/%25EF%BC%8Fevil.example', '/%c0%25afevil.example'])(
  'return URL: bytes that are a slash only when decoded twice lead nowhere: %s',
  (text) => expect(safeReturnUrl(text)).toBe('/'),
);

test('return URL: half a character in a provider’s name is no fault of the path', () => {
  expect(signInPath('/', undefined, '\ud800')).toBe('/.signet/login?idp=%EF%BF%BD&return=%2F');
});

test.each([
  ['code=abc;def&page=2', 'code=REDACTED&page=2'],
  ['code=abc#def&page=2', 'code=REDACTED&page=2'],
  ['code=abc;page=2', 'code=REDACTED;page=2'],
  ['%74oken%E2%80%A8=x', '%74oken%E2%80%A8=REDACTED'],
])(
  'redaction: nothing of a value is left behind a separator that some take for text: %s',
  (query, wanted) => {
    expect(createRedact([])(query)).toBe(wanted);
  },
);

test.each(['\n', '=', '+', '/'])(
  'a logout token has one alphabet: %j in it makes it malformed',
  async (odd) => {
    const claims = Buffer.from('{"iss":"https://idp.example"}').toString('base64url');
    const tokens = createLogoutTokens({
      ...{ issuer: 'https://idp.example', clientId: 'signet', now: () => 0 },
      keys: { verify: () => Promise.reject(new Error('its signature is asked for')) },
    });
    const verified = await tokens.verify(`eyJhbGciOiJFUzI1NiJ9.${claims}.c2ln${odd}`);
    expect(verified).toMatchObject({ refused: 'token-malformed' });
  },
);
