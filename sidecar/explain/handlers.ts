// What each handler does with a request: it answers, fails, or goes on. One that isn't known may do either.
import { recordAt, routesAt, type Handler } from '../edge/adapted.ts';
import { describeHandler } from '../edge/describe.ts';
import { declaredOpen, dialsOf, gateOf, type Gate } from '../edge/gate-handler.ts';
import { answeredWays } from './answers.ts';
import { failed } from './failed.ts';
import { isHarmless, past } from './harmless.ts';
import { textAt } from './parts.ts';
import { replaced, replacedKnown } from './placeholders.ts';
import type { Maybe, Request } from './request.ts';
import { rewritten } from './rewrite.ts';
import {
  errorStatus,
  forked,
  opened,
  stepped,
  withRequest,
  withRoutes,
  type Catcher,
  type GateAnswer,
  type Served,
  type Way,
} from './way.ts';

export type Ran<V> =
  { readonly ways: readonly Way<V>[] } | { readonly served: Served; readonly way: Way<V> };

export type Ask<V> = (
  gate: Gate,
  request: Request,
) => { readonly verdict: V; readonly answer: GateAnswer };

/** Returns how it goes on behind one handler. */
export function runHandler<V>(handler: Handler, way: Way<V>, ask: Ask<V>): Ran<V> {
  const gate = gateOf(handler);
  if (gate) return askGate(gate, handler, way, ask);
  const run = HANDLERS[handler.handler];
  if (run) return run(handler, way) as Ran<V>;
  return isHarmless(handler) ? on(quietly(handler, way)) : perhapsAnswers(handler, way);
}

function askGate<V>(gate: Gate, handler: Handler, way: Way<V>, ask: Ask<V>): Ran<V> {
  const { verdict, answer } = ask(gate, way.request);
  const asked = { ...way, asked: [...way.asked, { gate, verdict }] };
  const told = stepped(
    asked,
    'asked',
    `gate ${gate.route ?? ''}`.trim(),
    `require=${gate.requirement ?? ''}`,
  );
  return answeredWays(handler, { ...told, answer: { by: 'gate', status: answer.status } }, answer);
}

// Of a header or a variable nothing is told: there are dozens in a snippet.
function quietly<V>(handler: Handler, way: Way<V>): Way<V> {
  const open = declaredOpen(handler);
  const after = past(handler, way.request);
  const changed = after === way.request ? way : withRequest(way, after);
  if (open === undefined) return changed;
  return stepped(
    opened(changed, open),
    'ran',
    `unprotected ${open}`,
    'open on purpose: the gate is not asked',
  );
}

function perhapsAnswers<V>(handler: Handler, way: Way<V>): Ran<V> {
  const what = describeHandler(handler);
  const why = `${what}, of which only Caddy knows what it does, answers`;
  const answers = (taken: Way<V>) => ({
    ...taken,
    ahead: undefined,
    atEnd: { by: 'handler', what } as const,
  });
  return { ways: forked(way, why, answers, (left) => left) };
}

const HANDLERS: Readonly<Record<string, (handler: Handler, way: Way<unknown>) => Ran<unknown>>> = {
  subroute: (handler, way) => on(intoSubroute(handler, way)),
  invoke: (handler, way) => invoked(textAt(handler['name']), way),
  rewrite: (handler, way) => on(rewrote(handler, way)),
  static_response: responds,
  error: (handler, way) => fails(statusOf(handler, way, '500'), way),
  reverse_proxy: proxies,
  file_server: servesFiles,
  copy_response: (_, way) => ({
    served: way.answer ?? { by: 'handler', what: 'copy_response' },
    way,
  }),
  authentication: authenticates,
  intercept: (handler, way) => on({ ...way, intercepts: [...way.intercepts, handler] }),
  acme_server: servesAcme,
  metrics: (handler, way) => served({ by: 'handler', what: describeHandler(handler) }, way),
};

function on<V>(way: Way<V>): Ran<V> {
  return { ways: [way] };
}

function served<V>(answer: Served, way: Way<V>): Ran<V> {
  return { served: answer, way };
}

function intoSubroute<V>(handler: Handler, way: Way<V>): Way<V> {
  const errors = recordAt(handler['errors'])['routes'];
  const inner = withRoutes(way, routesAt(handler['routes']));
  if (errors === undefined) return inner;
  const catcher = {
    routes: routesAt(errors),
    then: way.ahead,
    restores: false,
    intercepts: way.intercepts,
    outer: way.catchers,
  };
  return { ...inner, catchers: catcher };
}

function invoked<V>(name: string, way: Way<V>): Ran<V> {
  const route = way.named[name];
  if (route === undefined) return fails('500', way);
  return on(
    withRoutes(stepped(way, 'ran', `invoke ${name}`, 'goes on in the named route'), [route]),
  );
}

function rewrote<V>(handler: Handler, way: Way<V>): Way<V> {
  const after = rewritten(handler, way.request);
  const shown = [
    after.method ?? 'a method not known here',
    after.path ?? 'a path not known here',
  ].join(' ');
  return stepped(withRequest(way, after), 'ran', 'rewrite', `goes on as ${shown}`);
}

function responds<V>(handler: Handler, way: Way<V>): Ran<V> {
  if (handler['abort'] === true) return served({ by: 'closed' }, way);
  const status = statusOf(handler, way, way.error === undefined ? '200' : errorStatus(way));
  if (status === '103') return on(way);
  if (status !== undefined && !/^[+-]?\d+$/.test(status)) return fails('500', way);
  const [location] = listAt(recordAt(handler['headers'])['Location']);
  if (location !== undefined)
    return served({ by: 'redirect', status, to: replaced(location, way.request) }, way);
  const { body } = handler;
  return served(
    {
      by: 'response',
      status,
      body: typeof body === 'string' ? replacedKnown(body, way.request) : '',
    },
    way,
  );
}

function statusOf<V>(
  { status_code: status }: Handler,
  way: Way<V>,
  usual: Maybe<string>,
): Maybe<string> {
  const written = textAt(status);
  return written === '' || written === '0' ? usual : replaced(written, way.request);
}

function proxies<V>(handler: Handler, way: Way<V>): Ran<V> {
  const answer: Served = { by: 'proxy', what: describeHandler(handler), dials: dialsOf(handler) };
  return answeredWays(handler, { ...way, answer }, undefined);
}

function servesFiles<V>(handler: Handler, way: Way<V>): Ran<V> {
  const answer = { by: 'handler', what: describeHandler(handler) } as const;
  if (handler['pass_thru'] !== true && !catchesErrors(way.catchers)) return served(answer, way);
  const take = (taken: Way<V>): Way<V> => ({ ...taken, ahead: undefined, atEnd: answer });
  // 404 where there is none; 405, 403 and 400 by what was asked for, and by the disk.
  const lacks = (left: Way<V>) => failed(undefined, left);
  const past = handler['pass_thru'] === true ? (left: Way<V>) => left : lacks;
  return { ways: forked(way, 'there is a file of that path', take, past) };
}

// Without routes for errors its 404 is its own answer, and no news.
function catchesErrors(catchers: Catcher | undefined): boolean {
  return catchers !== undefined && (catchers.routes.length > 0 || catchesErrors(catchers.outer));
}

// Without a name and a password it refuses; whether they are right is not known.
function authenticates<V>(handler: Handler, way: Way<V>): Ran<V> {
  const what = describeHandler(handler);
  const isBasic = Object.keys(recordAt(handler['providers'])).join() === 'http_basic';
  const refused = (left: Way<V>) => failed('401', stepped(left, 'ran', what, 'refuses'));
  if (isBasic && !way.request.headers.has('authorization')) return on(refused(way));
  return {
    ways: forked(way, `${what} takes the name and the password`, (taken) => taken, refused),
  };
}

const ACME_PREFIX = '/acme/';

function servesAcme<V>(handler: Handler, way: Way<V>): Ran<V> {
  const { path } = way.request;
  const what = describeHandler(handler);
  const prefix = typeof handler['path_prefix'] === 'string' ? handler['path_prefix'] : ACME_PREFIX;
  if (path !== undefined && !path.startsWith(prefix)) return on(way);
  return path === undefined ? perhapsAnswers(handler, way) : served({ by: 'handler', what }, way);
}

function fails<V>(status: Maybe<string>, way: Way<V>): Ran<V> {
  return on(
    failed(
      status,
      stepped(way, 'ran', 'error', `fails with ${status ?? 'a status not known here'}`),
    ),
  );
}

function listAt(part: unknown): string[] {
  return Array.isArray(part) ? part.filter((one) => typeof one === 'string') : [];
}
