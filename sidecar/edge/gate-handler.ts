// Which handler of Caddy's is Signet's gate, and what it says: a reverse_proxy that asks /verify. That what it lets
// in was really allowed is not looked at here (check/ does).
import {
  type Handler,
  type MatcherSet,
  recordAt,
  type Route,
  routesAt,
  textsAt,
} from './adapted.ts';

/** An answer of the gate, and what Caddy does with it. */
export type Response = {
  /** The response matcher; undefined matches every answer. */
  readonly match: MatcherSet | undefined;
  /** What runs then, and behind it whatever comes next; empty where the client gets the answer. */
  readonly routes: readonly Route[];
  /** Whether the client gets it, with another status: `replace_status`. */
  readonly isHandedOn: boolean;
};

/** A reverse_proxy whose answers decide whether Caddy goes on: `forward_auth`, and what stands for it. */
export type Gate = {
  /** The block's name, raw as the sidecar gets it; undefined where the question has none. */
  readonly route: string | undefined;
  /** Raw, without the sidecar's reading; undefined where there is none. */
  readonly requirement: string | undefined;
  readonly dials: readonly string[];
  readonly responses: readonly Response[];
};

const QUESTION = /^\/verify(?:\?(.*))?$/s;
/** As the sidecar reads it (request.ts), and as older snippets ask. */
const ASKED = /^require(?:=(?<requirement>.*))?&route=(?<route>.*)$/s;
const ASKED_BEFORE = /^route=(?<route>.*?)(?:&require(?:=(?<requirement>.*))?)?$/s;

/** Returns what the gate asks, or undefined where the handler is no gate of Signet's. */
export function gateOf(handler: Handler): Gate | undefined {
  if (handler.handler !== 'reverse_proxy') return undefined;
  const { uri, method } = recordAt(handler['rewrite']);
  const question = typeof uri === 'string' && method === 'GET' ? QUESTION.exec(uri) : null;
  if (question === null || !(asksOurs(question[1]) || isForUs(handler))) return undefined;
  const asked = (ASKED.exec(question[1] ?? '') ?? ASKED_BEFORE.exec(question[1] ?? ''))?.groups;
  return {
    route: asked?.['route'],
    requirement: asked?.['requirement'],
    dials: dialsOf(handler),
    responses: responsesOf(handler),
  };
}

// Somebody else's gate may have that path, too, and a question of its own: `/verify?rd=https://…`. Ours has one of
// these, however wrong the rest of it is.
function asksOurs(question = ''): boolean {
  return /(?:^|&)(?:require|route)(?:=|&|$)/.test(question);
}

// `Remote-User` tells nothing: other gates bring it, too. These are Signet's alone, and so are its socket and a
// machine of its name.
function isForUs(handler: Handler): boolean {
  return /signet[-/:]|Remote-(?:Team|User-Type)/i.test(JSON.stringify(handler));
}

/** Returns whether a gate of Signet's stands anywhere in a part of the configuration, reached or not. */
export function holdsGate(json: unknown): boolean {
  if (typeof json !== 'object' || json === null) return false;
  const { handler, ...others } = recordAt(json);
  if (typeof handler === 'string' && gateOf({ handler, ...others }) !== undefined) return true;
  return Object.values(json).some(holdsGate);
}

/** Returns where a reverse_proxy dials: `app:3000`, `unix//run/app.sock`, or a placeholder. */
export function dialsOf(handler: Handler): readonly string[] {
  const upstreams = handler['upstreams'];
  if (!Array.isArray(upstreams)) return [];
  return upstreams.flatMap((upstream) => textsAt([recordAt(upstream)['dial']]));
}

/** Returns what a handler does with answers (`handle_response` of reverse_proxy and intercept), in order. */
export function responsesOf(handler: Handler): readonly Response[] {
  const responses = handler['handle_response'];
  if (!Array.isArray(responses)) return [];
  return responses.map(recordAt).map(({ match, status_code: status, routes }) => {
    // `intercept` runs the routes whatever the status is to be (Caddy 2.11).
    const isHandedOn = handler.handler === 'reverse_proxy' && replacesStatus(status);
    return {
      match: match === undefined || match === null ? undefined : recordAt(match),
      routes: isHandedOn ? [] : routesAt(routes),
      isHandedOn,
    };
  });
}

/** Returns whether a `handle_response` has a status, be it 0 or a placeholder: then a reverse_proxy runs no routes. */
export function replacesStatus(status: unknown): boolean {
  return status !== undefined && status !== null && status !== '';
}

/** What `import unprotected NAME` leaves in the JSON: a block that is meant to be open. */
const UNPROTECTED = 'signet_unprotected';

/** Returns the name of an open block that its operator declared, or undefined. */
export function declaredOpen(handler: Handler): string | undefined {
  const name = handler.handler === 'vars' ? handler[UNPROTECTED] : undefined;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** Returns whether a response matcher takes answers of 2xx alone: the gate's yes. */
export function isOnlyFor2xx(match: MatcherSet | undefined): boolean {
  const statuses = match?.['status_code'];
  const isYes = (status: unknown) =>
    status === 2 || (typeof status === 'number' && status >= 200 && status <= 299);
  return Array.isArray(statuses) && statuses.length > 0 && statuses.every(isYes);
}

/** Returns the headers without which a response matcher takes no answer; lower case. */
export function headersAskedFor(match: MatcherSet | undefined): string[] {
  const headers = Object.entries(recordAt(match?.['headers']));
  return headers.flatMap(([name, values]) =>
    textsAt(values).length > 0 ? [name.toLowerCase()] : [],
  );
}

/** Returns whether a response matcher takes only answers with this header. */
export function asksForHeader(match: MatcherSet | undefined, name: string): boolean {
  return headersAskedFor(match).includes(name);
}
