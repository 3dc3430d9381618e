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
  log_append: ({ early, key }, state) =>
    typeof key === 'string' ? withFact(state, `${early === true ? 'log' : 'late'}:${key}`) : state,
};

/** Returns whether a `headers` handler may change whom the request is for. */
export function namesHost(handler: Handler): boolean {
  const { add, set, replace, delete: deleted } = recordAt(handler['request']);
  const names = [add, set, replace].flatMap((ops) => Object.keys(recordAt(ops)));
  return [...names, ...textsAt(deleted)].some(
    (name) => name.includes('{') || namesHeader(name.toLowerCase(), 'host'),
  );
}

// A placeholder that an error fills in is not the client's.
function isPathFixedAfter({ uri, ...others }: Handler, before: boolean): boolean {
  if (typeof uri !== 'string') return before;
  if (Object.keys(others).some((key) => key.startsWith('path_') || key.startsWith('uri_'))) {
    return false;
  }
  const [path = ''] = uri.split('?');
  // The status is Caddy's; a message may be the client's.
  return (
    path !== '' && !/\{/.test(path.replaceAll(/\{(?:http\.error|err)\.status_(?:code|text)\}/g, ''))
  );
}
