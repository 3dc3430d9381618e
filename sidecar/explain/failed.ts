// Where a request goes that failed: into the nearest routes for errors, a subroute's before the server's.
import type { Maybe } from './request.ts';
import { ANY_ERROR, errorStatus, stepped, withRequest, type Way } from './way.ts';

/** Returns the way behind an error: in the nearest routes for errors, or at its end. */
export function failed<V>(status: Maybe<string>, way: Way<V>): Way<V> {
  const { catchers, request } = way;
  const error = status ?? ANY_ERROR;
  if (catchers === undefined || catchers.routes.length === 0) return uncaught(status, way);
  const placeholders = new Map([
    ...request.placeholders,
    ['http.error.status_code', status] as const,
  ]);
  const { method, path, query, uri } = request.original;
  const restored = catchers.restores
    ? { method, path, query, rawPath: uri.split('?')[0] ?? '' }
    : {};
  const after = {
    ...request,
    ...restored,
    placeholders,
    unknownPrefixes: [...request.unknownPrefixes, 'http.error.'],
  };
  const inRoutes = stepped(withRequest(way, after), 'ran', 'handle_errors', `takes the ${error}`);
  return {
    ...inRoutes,
    error,
    // What an operator said of a block is not said of what answers for its errors.
    open: undefined,
    ahead: { run: catchers.routes, kind: 'routes', then: catchers.then },
    catchers: catchers.outer,
    // An error goes past what was to see an answer.
    intercepts: catchers.intercepts,
    ...(catchers.restores && { atEnd: { by: 'error', status } as const }),
  };
}

// An error of the server's error routes is answered with the first one's status.
function uncaught<V>(status: Maybe<string>, way: Way<V>): Way<V> {
  if (way.catchers?.outer !== undefined)
    return failed(status, { ...way, catchers: way.catchers.outer });
  const answer = way.catchers === undefined && way.error !== undefined ? errorStatus(way) : status;
  return { ...way, ahead: undefined, atEnd: { by: 'error', status: answer } };
}
