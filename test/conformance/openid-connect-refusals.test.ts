// Refusals that an operator can mend: each says what is wrong in words that name the mend.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import {
  startMisbehavingProvider,
  type Misbehaviour,
  type MisbehavingProvider,
} from '../fixtures/misbehaving-provider.ts';
import { startRelyingParty, type RelyingParty } from '../fixtures/relying-party.ts';

let wire: MisbehavingProvider;
let party: RelyingParty | undefined;

beforeAll(async () => {
  wire = await startMisbehavingProvider();
});
afterEach(() => party?.stop());
afterAll(() => wire.stop());

async function signIn(wrong: Misbehaviour) {
  wire.misbehave(wrong);
  party = await startRelyingParty([wire]);
  return party.signIn();
}

const refusing = (error: string, description?: string): Misbehaviour => ({
  token: (response: ServerResponse) =>
    void response
      .writeHead(400, { 'content-type': 'application/json' })
      .end(JSON.stringify({ error, error_description: description })),
});

const callingBack = (error: string, description?: string): Misbehaviour => ({
  callback: (query) => {
    query.delete('code');
    query.set('error', error);
    if (description !== undefined) query.set('error_description', description);
  },
});

describe('a redirect URI that the provider does not know', () => {
  const known: [string, Misbehaviour][] = [
    ['as Google’s token endpoint says it', refusing('redirect_uri_mismatch')],
    ['as a description says it', refusing('invalid_grant', 'redirect_uri did not match')],
    ['as Entra ID numbers it', refusing('invalid_request', 'AADSTS50011: not what is registered')],
    ['as a callback says it', callingBack('invalid_request', 'The redirect_uri is not allowed')],
  ];
  test.each(known)('%s, is refused with the one to register', async (_name, wrong) => {
    expect(await signIn(wrong)).toMatchObject({
      refused: 'redirect-uri-refused',
      detail: expect.stringContaining('register https://app.example.com/.signet/callback as'),
    });
  });

  test('is nothing that a provider’s other errors are taken for', async () => {
    expect(await signIn(callingBack('access_denied', 'not assigned'))).toMatchObject({
      refused: 'provider-refused',
    });
    expect(await signIn(refusing('invalid_grant', 'the code has expired'))).toMatchObject({
      refused: 'code-refused',
    });
  });
});

describe('a clock that is off', () => {
  const atSeconds = (offset: number, lasting = 300): Misbehaviour => ({
    claims: (claims) => {
      const iat = Math.floor(Date.now() / 1_000) + offset;
      return { ...claims, iat, exp: iat + lasting };
    },
  });

  test('is told by an ID token of the future, with by how much', async () => {
    expect(await signIn(atSeconds(600))).toMatchObject({
      refused: 'clock-off',
      detail: expect.stringMatching(/issued (599|600) seconds in the future.*date -u/),
    });
  });

  test('is told by an ID token that had expired when it came', async () => {
    expect(await signIn(atSeconds(-600))).toMatchObject({
      refused: 'clock-off',
      detail: expect.stringMatching(/issued 60\d seconds ago/),
    });
  });

  test('is told by one that is valid only later, if it was issued then', async () => {
    const claims = (right: object) => {
      const iat = Math.floor(Date.now() / 1_000) + 600;
      return { ...right, iat, nbf: iat, exp: iat + 300 };
    };
    expect(await signIn({ claims })).toMatchObject({ refused: 'clock-off' });
  });

  test('is none within half a minute, either way', async () => {
    expect(await signIn(atSeconds(25))).toHaveProperty('begun');
    expect(await signIn(atSeconds(-320))).toHaveProperty('begun');
  });

  test('is not what times are that contradict each other', async () => {
    const claims: Misbehaviour['claims'] = (right) => ({ ...right, exp: Number(right.iat) - 600 });
    expect(await signIn({ claims })).toMatchObject({ refused: 'id-token-expired' });
  });
});
