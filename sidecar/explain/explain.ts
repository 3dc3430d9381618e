// One request, walked through what Caddy was told, and decided as the gate would: which block answers, which
// requirement holds, what the decision would be and why. Pure; nothing is sent anywhere.
import type { Adapted, Route } from '../edge/adapted.ts';
import type { Gate } from '../edge/gate-handler.ts';
import type { Found } from '../policy/decide.ts';
import { serversAt, type Listening } from './listen.ts';
import { withRedirects } from './redirects.ts';
import { isOwnPage, isSiteless, sidecarsOf } from './told.ts';
import { readRequest, type Read, type Wanted } from './request.ts';
import { verdictOf, type Verdict } from './verdict.ts';
import type { Served } from './way.ts';
import { walk, type Outcome, type Walked as WalkedOf } from './walk.ts';

export type Question = Wanted & {
  /** Who asks, or that nobody is known. */
  readonly found: Found;
  /** Of providers and issuers, for `idp:`; undefined: any name is one. */
  readonly names?: readonly string[] | undefined;
};

/** One thing that may happen, and what would, had the gate said yes; none where it did, or nobody asked it. */
export type Told = Seen & {
  readonly behind: readonly Served[];
  /** Whether it is one of the sidecar's own pages, under /.signet/. */
  readonly isOwnPage: boolean;
};

/** An outcome, and the host where no site of the server is for it. */
type Seen = Outcome<Verdict> & { readonly siteless?: string };
type Walked = WalkedOf<Verdict> & { readonly outcomes: readonly Seen[] };

export type Explained = {
  readonly outcomes: readonly Told[];
  /** Whether there are more than were followed. */
  readonly isCut: boolean;
};

/** Returns all that may happen to the request; a sentence where it is none that Caddy would read. Never throws. */
export function explainRequest(
  adapted: Adapted,
  question: Question,
): Explained | { readonly problem: string } {
  const read = readRequest(question);
  if ('problem' in read) return read;
  const walked = walkEither(adapted, read, question);
  const allowed = walkEither(adapted, read, { ...question, isLetIn: true });
  const sidecars = sidecarsOf(adapted);
  const outcomes = walked.outcomes.map((outcome) => ({
    ...outcome,
    behind: behind(outcome, allowed),
    isOwnPage: isOwnPage(outcome, read.request.path, sidecars),
  }));
  return { outcomes, isCut: walked.isCut };
}

type Asking = Question & {
  /** Whether the gate says yes, whoever asks: to see what stands behind it. */
  readonly isLetIn?: true;
};

// What comes behind the gate that refused.
function behind({ served, asked }: Outcome<Verdict>, allowed: Walked): readonly Served[] {
  const refused = asked.at(-1)?.gate;
  if (refused === undefined || served.by !== 'gate') return [];
  const others = allowed.outcomes.filter((one) =>
    one.asked.some(({ gate }) => isSame(gate, refused)),
  );
  const distinct = new Map(others.map((one) => [JSON.stringify(one.served), one.served]));
  return [...distinct.values()];
}

function isSame(one: Gate, other: Gate): boolean {
  return one.route === other.route && one.requirement === other.requirement;
}

// A URL without a path is sent with a `/`, or whole. What both lead to hangs on nothing.
function walkEither(adapted: Adapted, read: Read, asking: Asking): Walked {
  const usual = walkAll(adapted, read, asking);
  if (read.bare === undefined) return usual;
  const bare = walkAll(adapted, { ...read, request: read.bare }, asking);
  return {
    outcomes: [
      ...usual.outcomes.map(unlessIn(bare.outcomes, 'its path is sent as /')),
      ...bare.outcomes
        .filter((one) => !usual.outcomes.some((other) => isAlike(one, other)))
        .map(unlessIn([], 'its target is the whole URL, without a path')),
    ],
    isCut: usual.isCut || bare.isCut,
  };
}

function unlessIn(others: readonly Seen[], why: string): (one: Seen) => Seen {
  return (one) =>
    others.some((other) => isAlike(one, other))
      ? one
      : { ...one, when: one.when.map((all) => [why, ...all]) };
}

function isAlike(one: Seen, other: Seen): boolean {
  const shown = ({ served, asked, open }: Seen) => JSON.stringify([served, asked, open]);
  return shown(one) === shown(other);
}

function walkAll(adapted: Adapted, read: Read, asking: Asking): Walked {
  const listening = serversAt(adapted, read.hostname, read.port);
  const walked =
    listening.length === 0
      ? [unlistened(adapted, read, asking)]
      : listening.map((one) => walkAt(adapted, one, read, asking));
  return {
    outcomes: walked.flatMap(({ outcomes }) => outcomes),
    isCut: walked.some(({ isCut }) => isCut),
  };
}

function unlistened(adapted: Adapted, read: Read, question: Asking): Walked {
  const { port, request } = read;
  const redirects =
    port === adapted.ports.http && request.scheme === 'http'
      ? withRedirects(adapted, undefined)
      : [];
  if (redirects.length > 0)
    return walkRoutes(read, question, { routes: redirects, errors: [], named: {} });
  const served = {
    by: 'nobody',
    why: `no server of this configuration listens on port ${port}`,
  } as const;
  return {
    outcomes: [{ served, asked: [], open: undefined, hosts: undefined, when: [[]], trail: [] }],
    isCut: false,
  };
}

function walkAt(
  adapted: Adapted,
  { server, at }: Listening,
  read: Read,
  question: Question,
): Walked {
  const isPlain = read.port === adapted.ports.http;
  const routes = isPlain ? withRedirects(adapted, server) : (server.routes ?? []);
  const walked = walkRoutes(read, question, {
    routes,
    errors: server.errors?.routes ?? [],
    named: server.named_routes ?? {},
  });
  if (at === undefined) return walked;
  const outcomes = walked.outcomes.map((one) => ({
    ...one,
    when: one.when.map((all) => [`it comes to ${at}`, ...all]),
  }));
  return { ...walked, outcomes };
}

type Routes = {
  readonly routes: readonly Route[];
  readonly errors: readonly Route[];
  readonly named: Readonly<Record<string, Route>>;
};

function walkRoutes({ request, hostname }: Read, asking: Asking, routes: Routes): Walked {
  const { isLetIn, found, names } = asking;
  const walked = walk(request, {
    ...routes,
    ask: (gate, at) => verdictOf(gate, at, { found, names, isLetIn: isLetIn ?? false }),
  });
  const outcomes = walked.outcomes.map((outcome) =>
    isSiteless(outcome, routes.routes) ? { ...outcome, siteless: hostname } : outcome,
  );
  return { ...walked, outcomes };
}
