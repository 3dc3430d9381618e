// What the demo does with the stack: people and a program use the sample app. It notes each answer's
// request id and status under a label, and judges nothing: that is the checker's part.
import type { Answer, Client } from './client.ts';
import { createBrowser, type Browser } from './browser.ts';
import { AGENT } from './people.ts';

/** One answer that the client saw. The label is unique: who, and what was asked for. */
export type Seen = { readonly label: string; readonly requestId: string; readonly status: number };

export type Stage = {
  readonly client: Client;
  /** `https://localhost:…` */
  readonly app: string;
  readonly issuer: string;
  readonly onSeen: (seen: Seen) => void;
};

const HOLD_MS = 2_050;
/** Who else signs in, and what they ask for then. */
const OTHERS = [
  ['bob', '/payments/'],
  ['dave', '/payments/'],
] as const;

/** Walks through everything; returns what was seen, in order. */
export async function travel({ client, app, issuer, onSeen }: Stage): Promise<Seen[]> {
  const seen: Seen[] = [];

  function note(label: string, { status, headers }: Answer): void {
    const one = { label, requestId: String(headers['x-request-id']), status };
    seen.push(one);
    onSeen(one);
  }

  function person(name: string): Browser {
    return createBrowser(client, app, (what, answer) => {
      const isSentToSignIn = answer.headers.location?.startsWith('/.signet/login') === true;
      note(`${name}${isSentToSignIn ? ' (signed out)' : ''}: ${what}`, answer);
    });
  }

  async function program(name: string, path: string, token?: string): Promise<void> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    note(`${name}: GET ${path}`, await client.ask({ url: app + path, headers }));
  }

  const nobody = person('nobody');
  await nobody.open('/public/');
  await nobody.open('/open/');
  await nobody.open('/orders');
  await program('a program without a token', '/orders');

  const alice = person('alice');
  await alice.signIn('alice', '/orders');
  for (const path of [
    '/',
    '/payments/',
    '/admin/',
    '/public/',
    '/open/',
    '/fail',
    '/slow?ms=300',
  ]) {
    await alice.open(path);
  }
  await Promise.all([
    alice.open('/stream'),
    alice.abort('/download'),
    alice.hold('/socket', HOLD_MS),
  ]);

  for (const [name, path] of OTHERS) {
    const browser = person(name);
    await browser.signIn(name, '/orders');
    await browser.open(path);
  }

  // By way of the provider, which ends its own session and sends her back.
  await alice.visit(`${app}/.signet/logout`);
  await alice.open('/payments/');

  const carol = person('carol');
  await carol.signIn('carol', '/orders');
  await carol.open('/admin/');
  // At the provider alone: it tells Signet behind her back.
  await carol.visit(`${issuer}/session/end`);
  await carol.open('/admin/');

  const token = await agentToken(client, issuer);
  await program('deploy-agent', '/orders', token);
  await program('deploy-agent', '/admin/', token);
  await program('a program with a forged token', '/orders', forged(token));
  return seen;
}

async function agentToken(client: Client, issuer: string): Promise<string> {
  const { body } = await client.ask({
    url: `${issuer}/token`,
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa(`${AGENT.clientId}:${AGENT.secret}`)}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials',
  });
  return (JSON.parse(body) as { access_token: string }).access_token;
}

// The same words under a signature that is not the provider's.
function forged(token: string): string {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const other = Buffer.from(signature, 'base64url').map((byte, at) =>
    at === 20 ? byte ^ 1 : byte,
  );
  return [header, payload, Buffer.from(other).toString('base64url')].join('.');
}
