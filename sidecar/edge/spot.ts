// Where a handler stands in a configuration, and what is known of a request by that. Pure.
import type { Block } from './blocks.ts';
import type { Condition } from './conditions.ts';
import { describeMatch } from './describe.ts';
import type { PlacedRoute } from './partition.ts';

/** Why a handler runs: for the request, for an error of it, or on seeing the answer to it (`intercept`). */
export type Mode = 'request' | 'error' | 'answer';

/** Where a handler stands. */
export type Spot = {
  /** RFC 6901, in the adapted JSON. */
  readonly pointer: string;
  readonly server: string;
  /** Handlers of one site have one of these. */
  readonly site: string;
  /** The site's; empty where it has none. */
  readonly hosts: readonly string[];
  /** From the outside in, in words. */
  readonly path: readonly string[];
  /** What holds of a request here. */
  readonly given: readonly Condition[];
  readonly mode: Mode;
  /** Whether it runs upon an answer of the gate. */
  readonly inGateAnswer: boolean;
  /** Headers that this answer surely has; lower case. */
  readonly brought: readonly string[];
  /** Named routes that led here. */
  readonly invoked: readonly string[];
};

/** Returns where the error routes of a server or subroute stand. */
export function inErrors(at: Spot): Spot {
  return {
    ...at,
    mode: 'error',
    inGateAnswer: false,
    brought: [],
    pointer: `${at.pointer}/errors`,
  };
}

/** Returns where the site of these hosts begins. */
export function atSite(at: Spot, hosts: readonly string[]): Spot {
  return { ...at, hosts, site: `${at.server} ${hosts.join(' ')}` };
}

/** Returns the place within a route that runs where all of `needs` hold. */
export function enter(at: Spot, { route, index }: PlacedRoute, needs: readonly Condition[]): Spot {
  const words = describeMatch(route);
  return {
    ...at,
    pointer: `${at.pointer}/routes/${index}`,
    given: [...at.given, ...needs],
    path: words === undefined ? at.path : [...at.path, words],
  };
}

/** Returns whether the answer surely has this header: its matcher asks for it, or one of the routes within. */
export function isBrought(header: string, { brought, given }: Spot): boolean {
  if (brought.includes(header)) return true;
  const placeholder = `{http.reverse_proxy.header.${header}}`;
  return given.some(({ sets }) => JSON.stringify(sets).toLowerCase().includes(placeholder));
}

/** Returns a condition of which nothing is known but that it is that of this block. */
export function unknownAt({ pointer, path }: Spot, { routes: [first] }: Block): Condition {
  const place = `${path.join(' ')} ${pointer}/${first?.index}`;
  return { sets: [{ group: place }], epoch: place, isOfLine: false };
}
