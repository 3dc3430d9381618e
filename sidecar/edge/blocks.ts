// Routes as Caddy takes them: one after the other, but of those with one group only the first that matches. Pure.
import { recordAt, type Server } from './adapted.ts';
import type { PlacedRoute } from './partition.ts';

/** Routes of which at most one runs. */
export type Block = {
  readonly routes: readonly PlacedRoute[];
  /** Whether one of the group may have run elsewhere, so that perhaps none of these does. */
  readonly isContinued: boolean;
};

/** Returns the routes as blocks, in order. `shared` are groups with routes in other places. */
export function blocksOf(routes: readonly PlacedRoute[], shared: ReadonlySet<string>): Block[] {
  const blocks: { routes: PlacedRoute[]; isContinued: boolean }[] = [];
  let open: string | undefined;
  for (const placed of routes) {
    const { group = '' } = placed.route;
    const last = blocks.at(-1);
    if (group !== '' && group === open && last) last.routes.push(placed);
    else blocks.push({ routes: [placed], isContinued: shared.has(group) });
    open = group;
  }
  return blocks;
}

/**
 * Returns the groups whose routes stand in several places: Caddy 2.11 counts a group once for the whole request, in
 * whatever list, and a named route may run more than once.
 */
export function sharedGroups(server: Server): ReadonlySet<string> {
  const runs = new Map<string, number>();
  countRuns(server, runs);
  for (const named of Object.values(server.named_routes ?? {})) countRuns(named, runs);
  return new Set([...runs].flatMap(([group, times]) => (times > 1 ? [group] : [])));
}

function countRuns(json: unknown, runs: Map<string, number>): void {
  if (typeof json !== 'object' || json === null) return;
  let open: unknown;
  for (const value of Object.values(json)) {
    const group = Array.isArray(json) ? recordAt(value)['group'] : undefined;
    if (typeof group === 'string' && group !== '' && group !== open) {
      runs.set(group, (runs.get(group) ?? 0) + 1);
    }
    open = group;
    countRuns(value, runs);
  }
}
