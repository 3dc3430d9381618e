// The site that is fuzzed with whole requests: a block of each kind, and, apart from what Signet does, who may be served
// by which of them, whom the app is told of, and which paths are whose. Nothing here comes from the code that is judged.
import { globalOptions } from '../fixtures/caddy.ts';
import { proxied } from '../fixtures/hostile.ts';

/** Who sends: nobody, alice (an engineer), carol (an auditor), and the agent with a token of its own. */
export type Caller = 'nobody' | 'alice' | 'carol' | 'deploy-agent';

/** Any `Server-Timing` and the like aside, HTTP/2 is spoken without TLS, too. */
export const FUZZ_OPTIONS = `${globalOptions}\nservers {\n\tprotocols h1 h2 h2c\n\tmax_header_size 64KiB\n}`;

export type Block = {
  readonly name: string;
  readonly may: readonly Caller[];
  /** Behind `protect`: the app is told of the caller, and there is a decision. */
  readonly isProtected: boolean;
  /** The path as the client's, of the one that the app was sent, where the block rewrites it. */
  readonly asAsked: (path: string) => string;
  /** The block, as it stands in the Caddyfile. */
  readonly text: string;
};

const SIGNED_IN: readonly Caller[] = ['alice', 'carol', 'deploy-agent'];
const EVERYONE: readonly Caller[] = ['nobody', ...SIGNED_IN];
const AUDITORS: readonly Caller[] = ['carol'];
const asItIs = (path: string) => path;

type Wishes = {
  readonly may: readonly Caller[];
  readonly requirement: string;
  readonly define?: string;
  readonly inside?: string;
  readonly directive?: string;
  readonly asAsked?: (path: string) => string;
};

const guarded = (name: string, match: string, wishes: Wishes): Block => {
  const { may, requirement, define = '', inside = '', directive = 'handle' } = wishes;
  const served = `import protect ${name} ${requirement} {\n${inside}\n${proxied(name)}\n}`;
  const text = `${define}\n${directive} ${match} {\n${served}\n}`;
  return { name, may, isProtected: true, asAsked: wishes.asAsked ?? asItIs, text };
};

const opened = (name: string, text: string): Block => ({
  ...{ name, may: EVERYONE, isProtected: false, asAsked: asItIs, text },
});

const auditors = { may: AUDITORS, requirement: 'role:auditor' };
const anyone = { may: SIGNED_IN, requirement: 'any' };

/** In the order in which they are tried. */
export const FUZZ_BLOCKS: readonly Block[] = [
  guarded('admin', '/admin/*', auditors),
  guarded('vault', '@vault', {
    ...auditors,
    // `(?s)`: without it a `.` is no line feed, and `/vault/%0a` would be another block's.
    define: '@vault path_regexp vault (?s)^/vault/(.*)$',
    inside: 'rewrite * /safe/{re.vault.1}',
    asAsked: (path) => path.replace(/^\/safe\//, '/vault/'),
  }),
  guarded('write', '@write', {
    ...auditors,
    define: '@write {\nmethod POST PUT PATCH DELETE\npath /docs/*\n}',
  }),
  guarded('docs', '/docs/*', anyone),
  guarded('files', '/files/*', {
    ...anyone,
    directive: 'handle_path',
    asAsked: (path) => `/files${path}`,
  }),
  guarded('api', '/api/*', {
    ...anyone,
    inside: 'uri strip_prefix /api',
    asAsked: (path) => `/api${path}`,
  }),
  guarded('old', '/old/*', {
    ...anyone,
    inside: 'rewrite * /renamed{uri}',
    asAsked: (path) => path.replace(/^\/renamed/, ''),
  }),
  guarded('hook', '/hook/*', { may: SIGNED_IN, requirement: 'any+preflight' }),
  guarded('public', '/public/*', { may: EVERYONE, requirement: 'public' }),
  opened('open', `handle /open/* {\n${proxied('open')}\n}`),
  opened('marked', `handle /marked/* {\nimport unprotected marked {\n${proxied('marked')}\n}\n}`),
  guarded('beta', '@beta', { ...anyone, define: '@beta header X-Beta yes' }),
  guarded('debug', '@debug', { ...auditors, define: '@debug query debug=1' }),
  guarded('orders', '', anyone),
];

/** Returns the inside of the site, with `app` for the app's address. `route`, so that the blocks stand as written. */
export const fuzzSite = (app: string): string =>
  `route {\n${FUZZ_BLOCKS.map(({ text }) => text).join('\n')}\n}`.replaceAll('APP', app);

/** Where only these may be, whatever block leads there: what a path means to the app. */
export const CLOSED: readonly { in: RegExp; method?: RegExp; may: readonly Caller[] }[] = [
  { in: /^\/(admin|vault)\//, may: AUDITORS },
  { in: /^\/docs\//, method: /^(POST|PUT|PATCH|DELETE)$/, may: AUDITORS },
  { in: /^\/(docs|files|api|old)\//, may: SIGNED_IN },
];

/** What the app is told of each, and nothing else. */
export const TOLD: Readonly<Record<Caller, Readonly<Record<string, string>>>> = {
  nobody: {},
  alice: {
    ...{ 'remote-user': 'alice', 'remote-name': 'Alice', 'remote-email': 'alice@example.com' },
    ...{ 'remote-team': 'payments', 'remote-user-type': 'human' },
  },
  carol: {
    ...{ 'remote-user': 'carol', 'remote-name': 'Carol', 'remote-email': 'carol@example.com' },
    ...{ 'remote-team': 'audit', 'remote-user-type': 'human' },
  },
  'deploy-agent': {
    ...{ 'remote-user': 'deploy-agent', 'remote-team': 'platform', 'remote-user-type': 'agent' },
  },
};
