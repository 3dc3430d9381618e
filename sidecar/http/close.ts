// Closing the sidecar's door in order: whoever was let in is answered. With a socket of its own nobody gets
// in any more; an inherited one goes on queueing for the next sidecar.
import type { Server } from 'node:http';

/** Between two looks for connections whose answer has been sent. */
const LOOK_EVERY_MS = 20;

/**
 * Resolves when the server is closed: no new connections from now on, and each of those that are open is closed
 * once its answer is sent, at the latest after `withinMs`. Caddy asks anew by itself on another connection
 * when one that it had kept is closed.
 */
export async function closeInOrder(server: Server, withinMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
  // Node closes at once those that wait for nothing, and never the ones that come to wait later.
  const looking = setInterval(() => server.closeIdleConnections(), LOOK_EVERY_MS);
  const late = setTimeout(() => server.closeAllConnections(), withinMs);
  await closed;
  clearInterval(looking);
  clearTimeout(late);
}
