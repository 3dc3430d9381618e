// A real OpenID provider (oidc-provider) as a process of its own, for the local stack only: it knows
// four people and one agent, takes any password, asks for no consent, and makes its keys at start.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import Provider, { type Context } from 'oidc-provider';
import { needed, serveUntilStopped } from './life.ts';
import { html, page, type Html } from './page.ts';
import { AGENT, AUDIENCE, PEOPLE, type Person } from './people.ts';

const SCOPES = 'openid profile email offline_access';
/** The certificate of the site's authority; without it nobody is told of sessions that end here. */
const authority = process.env['PROVIDER_AUTHORITY'];

function createProvider(issuer: string): Provider {
  return new Provider(issuer, {
    clients: [
      signetClient(needed('PROVIDER_APP'), needed('PROVIDER_CLIENT_SECRET')),
      agentClient(),
    ],
    jwks: { keys: [signingKey()] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    findAccount: (_: Context, login: string) => account(login),
    claims: {
      openid: ['sub', 'preferred_username', 'team', 'roles', 'user_type'],
      profile: ['name'],
      email: ['email', 'email_verified'],
    },
    // The claims in the ID token, and not only at the userinfo endpoint.
    conformIdTokenClaims: false,
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true, logoutSource: signOutAtOnce },
      resourceIndicators: {
        enabled: true,
        // Not for people: with a resource their token would not open the userinfo endpoint.
        defaultResource: ({ oidc }: Context) =>
          oidc.body?.['grant_type'] === 'client_credentials' ? AUDIENCE : undefined,
        getResourceServerInfo: () => ({
          scope: '',
          audience: AUDIENCE,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 3600,
        }),
      },
    },
    extraTokenClaims: (_: Context, token: { kind: string }) =>
      token.kind === 'ClientCredentials' ? agentClaims() : undefined,
    interactions: { url: (_: Context, { uid }: { uid: string }) => `/interaction/${uid}` },
    loadExistingGrant: grantEverything,
    // With each code, as Keycloak does: for `offline_access` one would have to be asked for consent.
    issueRefreshToken: (_: Context, client: { clientId: string }) => client.clientId === 'signet',
    fetch: fetchFromSite,
    ttl: {
      ...{ Session: 86_400, Grant: 86_400, RefreshToken: 86_400 },
      ...{ Interaction: 3600, AccessToken: 3600, IdToken: 3600 },
    },
  });
}

function signetClient(app: string, secret: string) {
  return {
    client_id: 'signet',
    client_secret: secret,
    redirect_uris: [`${app}/.signet/callback`],
    post_logout_redirect_uris: [`${app}/.signet/signed-out`],
    grant_types: ['authorization_code', 'refresh_token'],
    ...(authority !== undefined && {
      backchannel_logout_uri: `${app}/.signet/back-channel-logout`,
      backchannel_logout_session_required: true,
    }),
  };
}

function agentClient() {
  return {
    client_id: AGENT.clientId,
    client_secret: AGENT.secret,
    redirect_uris: [],
    response_types: [],
    grant_types: ['client_credentials'],
  };
}

function signingKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = randomBytes(6).toString('hex');
  return { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
}

function agentClaims() {
  const { clientId, team } = AGENT;
  return { preferred_username: clientId, user: clientId, team, user_type: 'agent' };
}

function account(login: string) {
  const person = PEOPLE.find((one) => one.login === login);
  return person && { accountId: login, claims: () => claims(person) };
}

function claims({ login, name, team, roles }: Person) {
  return {
    sub: login,
    preferred_username: login,
    name,
    email: `${login}@example.com`,
    email_verified: true,
    ...(team !== undefined && { team }),
    roles,
    user_type: 'human',
  };
}

// No consent page: whoever signs in has agreed.
async function grantEverything({ oidc }: Context) {
  const { accountId } = oidc.session ?? {};
  if (accountId === undefined || oidc.client === undefined) return undefined;
  const grant = new oidc.provider.Grant({ accountId, clientId: oidc.client.clientId });
  grant.addOIDCScope(SCOPES);
  await grant.save();
  return grant;
}

// oidc-provider's own refuses to speak to this machine. The authority is read when it is needed: at the very
// first start Caddy makes it after the provider has begun.
function fetchFromSite(url: string, options: RequestInit & { dispatcher?: unknown }) {
  if (authority !== undefined) {
    setDefaultCACertificates([...getCACertificates('bundled'), readFileSync(authority, 'utf8')]);
  }
  delete options.dispatcher;
  return fetch(url, options);
}

// Signing out of Signet signs out here too, without asking; the form is oidc-provider's own.
function signOutAtOnce(context: Context, form: string): void {
  const yes = form.replace('</form>', '<input type="hidden" name="logout" value="yes" /></form>');
  const body = html`${{ html: yes }}<button form="op.logoutForm">Sign out</button>
    <script>
      document.forms[0].submit();
    </script>`;
  context.type = 'html';
  context.body = page('Sign out', body);
}

function loginPage(uid: string, message?: Html): string {
  const names = PEOPLE.map(({ login }) => html`<code>${login}</code> `);
  return page(
    'Sign in',
    html`<p class="quiet">Local provider. People: ${names} &ndash; any password.</p>
      ${message ?? ''}
      <form method="post" action="/interaction/${uid}">
        <label>Login <input name="login" autocomplete="username" required autofocus /></label>
        <label>Password <input name="password" type="password" required /></label>
        <button>Sign in</button>
      </form>`,
  );
}

async function interact(provider: Provider, request: IncomingMessage, response: ServerResponse) {
  const { uid } = await provider.interactionDetails(request, response);
  if (request.method !== 'POST') return answer(response, 200, loginPage(uid));
  const login = new URLSearchParams(await text(request)).get('login') ?? '';
  if (account(login)) {
    return provider.interactionFinished(request, response, { login: { accountId: login } });
  }
  const message = html`<p class="error">Nobody here is called &ldquo;${login}&rdquo;.</p>`;
  return answer(response, 403, loginPage(uid, message));
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end(body);
}

const server = createServer();
server.listen(Number(needed('PROVIDER_PORT')), 'localhost', () => {
  const { port } = server.address() as AddressInfo;
  const provider = createProvider(`http://localhost:${port}`);
  const protocol = provider.callback();
  server.on('request', (request, response) => {
    const isOurs = request.url?.startsWith('/interaction/') === true;
    const done = isOurs ? interact(provider, request, response) : protocol(request, response);
    Promise.resolve(done).catch((error: unknown) => {
      console.error(error);
      answer(
        response,
        400,
        page('This sign-in is over', html`<p>Begin again where you came from.</p>`),
      );
    });
  });
  serveUntilStopped(port, () => {
    server.close();
    server.closeAllConnections();
  });
});
