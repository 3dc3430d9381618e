// What a handler that answers nobody changes of a request, as far as rules look at it. Pure.
import { type Handler, recordAt } from './adapted.ts';
import { declaredOpen } from './gate-handler.ts';
import { applyOps, cleansAnswer } from './header-flow.ts';
import { mapWorlds, type State, withFact } from './state.ts';

/** Returns the state behind the handler. */
export function effectOf(handler: Handler, state: State, inGateAnswer: boolean): State {
  const effect = EFFECTS[handler.handler];
  return effect === undefined ? state : effect(handler, state, inGateAnswer);
}

type Effect = (handler: Handler, state: State, inGateAnswer: boolean) => State;

const EFFECTS: Record<string, Effect> = {
  headers: (handler, state, inGateAnswer) => {
    const after = mapWorlds(state, (world) => ({
      ...world,
      headers: applyOps(world.headers, handler['request'], inGateAnswer),
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
    const after = { ...state, changes: state.changes + 1 };
    return declaredOpen(handler) === undefined ? after : withFact(after, 'open');
  },
  map: (_handler, state) => ({ ...state, changes: state.changes + 1 }),
  // Late ones are lost when the client hangs up.
  log_append: ({ early, key }, state) =>
    typeof key === 'string' ? withFact(state, `${early === true ? 'log' : 'late'}:${key}`) : state,
};

function namesHost(handler: Handler): boolean {
  return /"host"/i.test(JSON.stringify(recordAt(handler['request'])));
}

// A placeholder that an error fills in is not the client's.
function isPathFixedAfter({ uri, ...others }: Handler, before: boolean): boolean {
  if (typeof uri !== 'string') return before;
  if (Object.keys(others).some((key) => key.startsWith('path_') || key.startsWith('uri_'))) {
    return false;
  }
  const [path = ''] = uri.split('?');
  return path !== '' && !/\{/.test(path.replaceAll(/\{(?:http\.error|err)\.[a-z_]+\}/g, ''));
}
