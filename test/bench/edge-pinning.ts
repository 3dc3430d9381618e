// Which process runs on which core: all on all, or Caddy and the app on one core and everything else on
// another, so that the sidecar has time of its own.
import { allowedCores, pin } from './edge-processes.ts';
import type { EdgeName } from './edge-variants.ts';
import type { World } from './edge-world.ts';

export type Pinning = {
  /** Puts one edge and the app on the first core, the rest on the second; returns the load generator's. */
  apart(edge: EdgeName): string;
  /** Lets everything run everywhere again. */
  together(): void;
};

/** Returns it, or why there is none here. */
export function createPinning(world: World): Pinning | { readonly skipped: string } {
  const cores = allowedCores();
  const [first, second] = cores;
  if (second === undefined) return { skipped: 'there is one core only' };
  const sidecars = [world.on.pid, world.off.pid];
  const caddies = [world.app.pid, ...[...world.edges.values()].map(({ pid }) => pid)];
  return {
    apart(name) {
      pin(world.app.pid, String(first));
      pin(world.edges.get(name)?.pid ?? 0, String(first));
      for (const pid of [...sidecars, world.counter().pid]) pin(pid, String(second));
      return String(second);
    },
    together() {
      const all = [...caddies, ...sidecars, world.counter().pid];
      for (const pid of all) pin(pid, cores.join(','));
    },
  };
}
