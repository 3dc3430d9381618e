// Requests through the edges, counted: what was sent is what rows are compared with.
import { ask, type Answer } from './edge-ask.ts';
import type { Ports } from './edge-caddyfiles.ts';
import type { EdgeName } from './edge-variants.ts';

export type Requests = {
  /** Sends one request through an edge, and counts it. */
  ask(edge: EdgeName, isTls: boolean, path: string, headers: readonly string[]): Promise<Answer>;
  /** Counts requests that others send. */
  add(edge: EdgeName, requests: number): void;
  /** Returns how many were sent through this edge since the start. */
  sent(edge: EdgeName): number;
};

/** Returns requests to the edges on these ports; none was sent yet. */
export function createRequests(ports: Readonly<Record<EdgeName, Ports>>): Requests {
  const sent = new Map<EdgeName, number>();
  const add = (edge: EdgeName, requests: number) =>
    void sent.set(edge, (sent.get(edge) ?? 0) + requests);
  return {
    add,
    sent: (edge) => sent.get(edge) ?? 0,
    ask: (edge, isTls, path, headers) => {
      add(edge, 1);
      const port = isTls ? ports[edge].https : ports[edge].http;
      return ask({ port, tls: isTls }, path, headers);
    },
  };
}
