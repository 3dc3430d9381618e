// What is compared: each way through Caddy, with which credential, over which protocol.
import type { Protocol } from './load.ts';

/** The Caddys in front of the app. */
export type EdgeName = 'none' | 'L1' | 'L1log' | 'L2' | 'O' | 'off' | 'on';

/** Who the client is: a person by a cookie of Signet's or of oauth2-proxy's, or an agent by a token. */
export type CredentialName = 'session' | 'bearer' | 'proxy-session';

export type Variant = {
  readonly name: string;
  readonly what: string;
  readonly edge: EdgeName;
  readonly credential: CredentialName;
  readonly protocol: Protocol;
  /** Caddy and the app on one core, all others on another. */
  readonly isPinned: boolean;
  /** Part of the short form. */
  readonly isShort: boolean;
};

const WHAT: Readonly<Record<EdgeName, string>> = {
  none: 'no auth at all: `reverse_proxy`',
  L1: 'plain `forward_auth`, answered by Caddy itself',
  L1log: 'the same, with an access log of Caddy’s to a file',
  L2: 'our whole snippet with its log, answered by Caddy itself',
  O: 'oauth2-proxy, as its documentation has it for Caddy',
  off: 'Signet, nothing recorded',
  on: 'Signet, everything on',
};

/** In the order of the table. */
export const VARIANTS: readonly Variant[] = [
  variant('none', 'none'),
  variant('L1', 'L1'),
  variant('L1+log', 'L1log'),
  variant('L2', 'L2'),
  variant('O', 'O', { credential: 'proxy-session' }),
  variant('signet-off', 'off'),
  variant('signet-on', 'on'),
  variant('signet-bearer-off', 'off', { credential: 'bearer' }),
  variant('signet-bearer', 'on', { credential: 'bearer' }),
  variant('none/h2', 'none', { protocol: 'h2' }),
  variant('L1/h2', 'L1', { protocol: 'h2' }),
  variant('L2/h2', 'L2', { protocol: 'h2' }),
  variant('O/h2', 'O', { protocol: 'h2', credential: 'proxy-session' }),
  variant('signet-on/h2', 'on', { protocol: 'h2', isShort: true }),
  variant('L2/pinned', 'L2', { isPinned: true }),
  variant('signet-on/pinned', 'on', { isPinned: true }),
];

/** Returns the variant of this name; throws when there is none. */
export function variantNamed(name: string): Variant {
  const found = VARIANTS.find((each) => each.name === name);
  if (found === undefined) throw new TypeError(`there is no variant ${name}`);
  return found;
}

/** Returns whether its answer depends on who asks. */
export function isGuarded({ edge }: Variant): boolean {
  return edge === 'O' || edge === 'off' || edge === 'on';
}

/** Returns whether spans come of it. */
export function isRecorded(edge: EdgeName): boolean {
  return edge === 'on';
}

function variant(name: string, edge: EdgeName, more: Partial<Variant> = {}): Variant {
  const { credential = 'session', protocol = 'http/1.1', isPinned = false } = more;
  const isShort = more.isShort ?? (protocol === 'http/1.1' && !isPinned);
  const by = credential === 'bearer' ? ', bearer token verified before' : '';
  const over = protocol === 'h2' ? ', TLS and HTTP/2' : '';
  const where = isPinned ? ', Caddy on a core of its own' : '';
  const what = `${WHAT[edge]}${by}${over}${where}`;
  return { name, what, edge, credential, protocol, isPinned, isShort };
}
