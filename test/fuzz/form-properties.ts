// What holds of what is posted to the back channel, whatever it is: a form or none, within its bounds; and a logout
// token that the provider has not signed ends nobody's session.
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { createFormReader } from '../../sidecar/http/form-body.ts';
import { createLogoutTokens } from '../../sidecar/identity/logout-token.ts';
import { postedForm } from '../fixtures/posted.ts';
import type { Tally } from './properties.ts';
import { count, type Subject } from './subject.ts';

const MAX_BODY_BYTES = 2_000;
const read = createFormReader({
  ...{ maxBytes: MAX_BODY_BYTES, timeoutMs: 60_000, maxAtOnce: 2, maxByAddress: 1 },
});

export const FORM_BODY: Subject = {
  name: 'form body',
  seeds: [
    'logout_token=eyJ.e30.x',
    'logout_token=a&logout_token=b',
    'a=1&b=%20+&__proto__=x',
    `a=${'x'.repeat(3_000)}`,
  ],
  units: [
    '&',
    '=',
    '+',
    '%',
    '%00',
    '%e2%82',
    'logout_token=',
    '&logout_token=x',
    '__proto__=1',
    '[]',
  ],
  faultOf: formFault,
  reached: ['forms read', 'forms too long'],
};

async function formFault(text: string, tally: Tally): Promise<string | undefined> {
  const bytes = Buffer.from(text);
  // In two pieces, wherever the cut falls.
  const half = bytes.length >> 1;
  const posted = postedForm([bytes.subarray(0, half), bytes.subarray(half)]);
  const form = await read(posted, '192.0.2.1');
  if (form === 'busy') return 'a place was not given back';
  const isLong = bytes.length > MAX_BODY_BYTES;
  count(tally, form === undefined ? 'forms too long' : 'forms read');
  if ((form === undefined) !== isLong)
    return `${bytes.length} bytes were ${isLong ? 'read' : 'not'}`;
  const wanted = new URLSearchParams(bytes.toString());
  return form === undefined || form.toString() === wanted.toString() ? undefined : 'another form';
}

const ISSUER = 'https://idp.example';
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const NOW_MS = 1_795_180_000_000;

/** Returns the subject of logout tokens; its seeds are signed by a key of its own, or by another's. */
export async function logoutTokenSubject(): Promise<Subject> {
  const [own, foreign] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')];
  const jwk = { ...(await exportJWK(own.publicKey)), alg: 'ES256' };
  const select = createLocalJWKSet({ keys: [jwk] });
  const sign = (claims: Record<string, unknown>, key = own.privateKey) =>
    new SignJWT({ ...GOOD, ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'logout+jwt' })
      .sign(key);
  const good = await Promise.all([sign({}), sign({ jti: 'two', sub: undefined, sid: 's' })]);
  const bad = await Promise.all([
    ...[{ nonce: 'n' }, { aud: 'other' }, { events: {} }, { sub: 1 }, { exp: 1 }, { jti: '' }].map(
      (claims) => sign(claims),
    ),
    sign({ jti: 'three' }, foreign.privateKey),
  ]);
  const verify = async (text: string) =>
    createLogoutTokens({
      ...{ issuer: ISSUER, clientId: 'signet', now: () => NOW_MS },
      keys: { verify: (token, checks) => jwtVerify(token, select, checks) },
    }).verify(text);
  return {
    name: 'logout token',
    seeds: [...good, ...bad],
    units: [
      '.',
      '..',
      '=',
      '-',
      'e30',
      'eyJhbGciOiJub25lIn0',
      'bnVsbA',
      'W10',
      'MQ',
      '"',
      '{}',
      '.e30.',
    ],
    reached: ['logout tokens taken', 'logout tokens refused'],
    async faultOf(text, tally) {
      const named = await verify(text);
      const isTaken = !('refused' in named);
      count(tally, isTaken ? 'logout tokens taken' : 'logout tokens refused');
      if (isTaken !== good.some((one) => isSameToken(one, text)))
        return isTaken ? 'it was taken' : 'a good one was refused';
      return isTaken || named.detail !== '' ? undefined : 'refused without a word';
    },
  };
}

// base64url's last character has spare bits: one signature has several spellings, and one jti counts once.
function isSameToken(one: string, other: string): boolean {
  const [input, signature] = halvesOf(one);
  const [otherInput, otherSignature] = halvesOf(other);
  return input === otherInput && signature.equals(otherSignature) && /^[\w.-]+$/.test(other);
}

function halvesOf(token: string): [string, Buffer] {
  const dot = token.lastIndexOf('.');
  return [token.slice(0, dot), Buffer.from(token.slice(dot + 1), 'base64url')];
}

const GOOD = {
  ...{ iss: ISSUER, aud: 'signet', jti: 'one', sub: 'alice', events: { [EVENT]: {} } },
  ...{ iat: NOW_MS / 1000, exp: NOW_MS / 1000 + 120 },
};
