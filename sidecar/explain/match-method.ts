// The matcher `method`, which hangs on the version: from 2.11.5 on Caddy raises what it has in lower case.
import { isBelow } from '../edge/version.ts';
import { unknown, whether, type Met } from './met.ts';
import type { Maybe, Request } from './request.ts';

const RAISED_FROM = '2.11.5';

/** Returns whether it is one of these methods, as a route's matcher has them. */
export function matchMethod(methods: readonly string[], { method, caddy }: Request): Met {
  const raised = methods.map((one) => one.toUpperCase());
  if (method === undefined || methods.includes(method) === raised.includes(method))
    return matchSpelled(methods, method);
  if (caddy !== undefined)
    return matchSpelled(isBelow(caddy, RAISED_FROM) ? methods : raised, method);
  const when = raised.includes(method) ? `${RAISED_FROM} or later` : `older than ${RAISED_FROM}`;
  return unknown(`this Caddy is ${when}, to which ${methods.join(' or ')} means ${method}`);
}

/** Returns whether it is one of these as they are spelled: so expressions have it, in every version. */
export function matchSpelled(methods: readonly string[], method: Maybe<string>): Met {
  const shown = methods.join(' or ');
  if (method === undefined) return unknown(`the method is ${shown}`);
  const isMatch = methods.includes(method);
  return whether(isMatch, `the method is ${isMatch ? method : `not ${shown}`}`);
}
