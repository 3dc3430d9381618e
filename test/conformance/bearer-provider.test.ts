// Tokens of a real provider (oidc-provider): opaque ones by introspection, and token exchange (RFC 8693) in
// both formats, with agents that act on behalf of people.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Bearer } from '../../sidecar/identity/bearer.ts';
import { createBearer } from '../fixtures/bearer.ts';
import { actorDepth, actorWords, type Identity } from '../../sidecar/identity/identity.ts';
import { decide } from '../../sidecar/policy/decide.ts';
import { parseRequirement } from '../../sidecar/policy/requirement.ts';
import { secret } from '../../sidecar/secret.ts';
import { startProvider, type TestProvider } from '../fixtures/provider.ts';

const AUDIENCE = 'https://orders.example.com';
let provider: TestProvider;
let bearer: Bearer;
let nowMs = Date.now();

beforeAll(async () => {
  provider = await startProvider({
    redirectUris: ['https://app.example.com/.signet/callback'],
    audience: AUDIENCE,
  });
});
afterAll(() => provider.stop());
beforeEach(() => {
  nowMs = Date.now();
  const { clientId, clientSecret } = provider.introspector;
  bearer = bearerWith(clientId, clientSecret);
});

function bearerWith(clientId: string, clientSecret: string): Bearer {
  const introspection = { clientId, clientSecret: secret(clientSecret) };
  const main = { name: 'main', issuer: provider.issuer, audiences: [AUDIENCE], introspection };
  return createBearer({ issuers: [main], now: () => nowMs });
}

async function whose(token: string): Promise<Identity> {
  const answer = await bearer.verify(token);
  if ('refused' in answer) throw new Error(answer.refused);
  return answer;
}

const isAllowed = (identity: Identity, text: string) =>
  decide(parseRequirement(text), { identity }, 'other').decision === 'allow';

describe.each(['jwt', 'opaque'] as const)('a token in the format %s', (format) => {
  test('is of the shape that its name says', async () => {
    expect((await provider.personToken('alice', format)).split('.')).toHaveLength(
      format === 'jwt' ? 3 : 1,
    );
  });

  test('of a person is hers', async () => {
    const alice = await whose(await provider.personToken('alice', format));
    expect(alice).toMatchObject({
      ...{ user: 'alice', team: 'payments', roles: ['engineer'], type: 'human' },
      ...{ provider: 'main', method: 'bearer' },
    });
    expect([actorDepth(alice), actorWords(alice)]).toEqual([0, 'alice']);
  });

  test('of an agent by itself has nobody behind it', async () => {
    const agent = await whose(await provider.clientCredentialsToken(format));
    expect(agent).toMatchObject({ user: 'deploy-agent', type: 'agent', team: 'platform' });
    expect(agent.actor).toBeUndefined();
  });

  test('exchanged by an agent: it acts, on behalf of alice, and is no human', async () => {
    const token = await provider.delegatedToken('alice', ['deploy-agent'], format);
    const delegated = await whose(token);
    expect(delegated).toMatchObject({
      ...{ user: 'alice', team: 'payments', type: 'agent', actor: { subject: 'deploy-agent' } },
    });
    expect(actorWords(delegated)).toBe('deploy-agent on behalf of alice');
    expect(isAllowed(delegated, 'team:payments+actors:1')).toBe(true);
    expect(isAllowed(delegated, 'team:payments+type:human')).toBe(false);
    expect(isAllowed(delegated, 'team:payments+actors:0')).toBe(false);
  });

  test('exchanged twice: the chain goes from the latest actor to the first', async () => {
    const agents = ['deploy-agent', 'review-agent'];
    const chain = await whose(await provider.delegatedToken('alice', agents, format));
    expect(actorWords(chain)).toBe('review-agent for deploy-agent on behalf of alice');
    expect(isAllowed(chain, 'actors:2')).toBe(true);
    expect(isAllowed(chain, 'actors:1')).toBe(false);
  });

  test('exchanged four times is read whole, five times refused', async () => {
    const agents = ['deploy-agent', 'review-agent', 'build-agent', 'deploy-agent'];
    expect(actorDepth(await whose(await provider.delegatedToken('alice', agents, format)))).toBe(4);
    const longer = await provider.delegatedToken('alice', [...agents, 'review-agent'], format);
    expect(await bearer.verify(longer)).toEqual({ refused: 'token-claims' });
  });
});

describe('introspection', () => {
  test('a token that the provider does not know is inactive', async () => {
    expect(await bearer.verify('made-up')).toEqual({ refused: 'token-inactive' });
  });

  test('a token whose grant was revoked is refused when the answer is no longer kept', async () => {
    const token = await provider.personToken('bob', 'opaque');
    expect(await bearer.verify(token)).toMatchObject({ user: 'bob' });
    provider.revoke('bob');
    expect(await bearer.verify(token)).toMatchObject({ user: 'bob' });
    nowMs += 30_000;
    expect(await bearer.verify(token)).toEqual({ refused: 'token-inactive' });
  });

  test('with a wrong secret it is our fault: no token is called inactive', async () => {
    const wrong = bearerWith(provider.introspector.clientId, 'wrong');
    const token = await provider.personToken('alice', 'opaque');
    await expect(wrong.verify(token)).rejects.toMatchObject({ code: 'ERR_PROVIDER' });
    expect(wrong.state()).toMatchObject({
      ready: false,
      problem: expect.stringContaining('refuses this client'),
    });
  });
});
