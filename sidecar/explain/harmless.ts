// Handlers that neither answer nor change where a request goes, but what later matchers may look at. Whether one ran
// need not be followed both ways: what it may have set is then not known.
import { routesAt, textsAt, type Handler, type Route } from '../edge/adapted.ts';
import { withHeaders, withHeadersPerhaps } from './headers.ts';
import { replaced } from './placeholders.ts';
import type { Maybe, Request } from './request.ts';

/** They wrap an answer, write to the log, or set what matchers look at. */
const HARMLESS = new Set([
  'vars',
  'headers',
  'map',
  'encode',
  'log_append',
  'request_body',
  'tracing',
  'templates',
  'copy_response_headers',
  'push',
]);

/** Returns whether the handler always goes on, with the same method, path and query. */
export function isHarmless(handler: Handler): boolean {
  if (handler.handler !== 'subroute') return HARMLESS.has(handler.handler);
  return routesAt(handler['routes']).every(isHarmlessRoute);
}

/** Returns whether it makes no difference to where a request goes that this route ran. */
export function isHarmlessRoute({ handle = [], group, terminal }: Route): boolean {
  return group === undefined && terminal !== true && handle.every(isHarmless);
}

/** By what `import signet` marks a request that it refuses further on. */
const MARK = 'signet_refused';

/** Returns whether what comes of a request hangs on this route alone, which only marks it: both ways must be followed. */
export const isMarking = ({ handle = [] }: Route): boolean => handle.some((one) => MARK in one);

/** Returns the request behind a handler that is harmless. */
export function past(handler: Handler, request: Request): Request {
  switch (handler.handler) {
    case 'headers':
      return withHeaders(handler, request);
    case 'vars':
      return withVars(handler, request);
    case 'map':
      return withMapped(handler, request);
    default:
      return request;
  }
}

/** The same, where nobody knows whether it ran. */
export function perhapsPast(handler: Handler, request: Request): Request {
  if (handler.handler === 'subroute') {
    return routesAt(handler['routes'])
      .flatMap(({ handle = [] }) => handle)
      .reduce((made, one) => perhapsPast(one, made), request);
  }
  if (handler.handler === 'headers') return withHeadersPerhaps(handler, request);
  const made = past(handler, request);
  const names = [...made.vars.keys()].filter(
    (name) => made.vars.get(name) !== request.vars.get(name) || !request.vars.has(name),
  );
  const vars = new Map<string, Maybe<string>>(made.vars);
  for (const name of names) vars.set(name, undefined);
  const placeholders = new Map(made.placeholders);
  for (const [key, value] of made.placeholders) {
    if (request.placeholders.get(key) !== value) placeholders.set(key, undefined);
  }
  return { ...made, vars, placeholders };
}

function withVars(handler: Handler, request: Request): Request {
  const vars = new Map(request.vars);
  const placeholders = new Map(request.placeholders);
  for (const [written, value] of Object.entries(handler)) {
    if (written === 'handler') continue;
    const name = replaced(written, request);
    const text = typeof value === 'string' ? replaced(value, request) : String(value);
    if (name === undefined)
      return { ...request, unknownPrefixes: [...request.unknownPrefixes, 'http.vars.'] };
    vars.set(name, text);
    if (name === 'http.auth.user.id') placeholders.set(name, text);
  }
  return { ...request, vars, placeholders };
}

// What it maps is looked up anew wherever it is used, of the request as it is then.
function withMapped(handler: Handler, request: Request): Request {
  const placeholders = new Map(request.placeholders);
  for (const written of textsAt(handler['destinations'])) {
    placeholders.set(written.replaceAll(/^\{|\}$/g, ''), undefined);
  }
  return { ...request, placeholders };
}
