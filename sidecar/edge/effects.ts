// What a handler that answers nobody changes of a request, as far as rules look at it. Pure.
import { type Handler, recordAt, textsAt } from './adapted.ts';
import { declaredOpen } from './gate-handler.ts';
import { applyOps, type Brought, cleansAnswer, namesHeader } from './header-flow.ts';
import { mapWorlds, type State, withFact } from './state.ts';

/** Returns the state behind the handler. */
export function effectOf(handler: Handler, state: State, brought: Brought): State {
  const effect = EFFECTS[handler.handler];
  if (effect !== undefined) return effect(handler, state, brought);
  if (CHANGES_NOTHING.includes(handler.handler)) return state;
  // What somebody else's handler does nobody here knows.
  return { ...state, rewrites: state.rewrites + 1, changes: state.changes + 1 };
}

/** Of Caddy 2.11's own, as far as matchers can see. */
const CHANGES_NOTHING = [
  'acme_server',
  'copy_response_headers',
  'encode',
  'push',
  'request_body',
  'templates',
  'tracing',
];

type Effect = (handler: Handler, state: State, brought: Brought) => State;

const EFFECTS: Record<string, Effect> = {
  headers: (handler, state, brought) => {
    const after = mapWorlds(state, (world) => ({
      ...world,
      headers: applyOps(world.headers, handler['request'], brought),
      isAnswerClean: world.isAnswerClean || cleansAnswer(handler),
    }));
    const rewrites = state.rewrites + (namesHost(handler) ? 1 : 0);
    return { ...after, rewrites, changes: state.changes + 1 };
  },
  rewrite: (handler, state) => {
    const after = mapWorlds(state, (world) => ({
      ...world,
      isPathFixed: isPathFixedAfter(handler, world.isPathFixed),
    }));
    return { ...after, rewrites: state.rewrites + 1 };
  },
  vars: (handler, state) => {
    // Matchers of addresses look at these.
    const isAddress =
      Object.hasOwn(handler, 'client_ip') || Object.hasOwn(handler, 'trusted_proxy');
    const rewrites = state.rewrites + (isAddress ? 1 : 0);
    const after = { ...state, rewrites, changes: state.changes + 1 };
    return declaredOpen(handler) === undefined ? after : withFact(after, 'open');
  },
  // `{http.auth.user.…}` is another from here on.
  authentication: (_handler, state) => ({ ...state, changes: state.changes + 1 }),
  map: (_handler, state) => ({ ...state, changes: state.changes + 1 }),
  // Late ones are lost when the client hangs up.
  log_append: ({ early, key, value }, state) => {
    // `import signet` does it where it answers by itself, so no second one comes behind it.
    if (typeof key !== 'string' || (key === 'route' && value === 'signet')) return state;
    return withFact(state, `${early === true ? 'log' : 'late'}:${key}`);
  },
};

/** Returns whether a `headers` handler may change whom the request is for. */
export function namesHost(handler: Handler): boolean {
  const { add, set, replace, delete: deleted } = recordAt(handler['request']);
  const names = [add, set, replace].flatMap((ops) => Object.keys(recordAt(ops)));
  return [...names, ...textsAt(deleted)].some(
    (name) => name.includes('{') || namesHeader(name.toLowerCase(), 'host'),
  );
}

// Of Caddy 2.11: `uri` first, where it says a path at all; then what changes parts of the path.
function isPathFixedAfter({ uri, ...others }: Handler, before: boolean): boolean {
  const [path = ''] = typeof uri === 'string' ? uri.split(/[?#]/) : [];
  return (path === '' ? before : isFixed(path)) && textsIn(partsPut(others)).every(isFixed);
}

// A pattern's braces are its own, and what it finds is of the path.
function partsPut(rewrite: Readonly<Record<string, unknown>>): unknown {
  const { method: _, query: _query, path_regexp: patterns, ...others } = rewrite;
  const replaced = Array.isArray(patterns) && patterns.map((one) => recordAt(one)['replace']);
  return [others, replaced];
}

function textsIn(json: unknown): readonly string[] {
  if (typeof json === 'string') return [json];
  return typeof json === 'object' && json !== null ? Object.values(json).flatMap(textsIn) : [];
}

function isFixed(text: string): boolean {
  return !withoutOperators(text).includes('{');
}

/** The machine's; and statuses, which are numbers: an error's message may be the client's. */
const OPERATORS =
  /\{(?:(?:http\.error|err)\.status_(?:code|text)|http\.(?:intercept|reverse_proxy)\.status_code|(?:env|system)\.[^{}]*)\}/g;

/** Returns the text without the placeholders in which no request has a say. */
export function withoutOperators(text: string): string {
  return text.replaceAll(OPERATORS, '');
}
