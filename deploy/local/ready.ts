// Waiting for a condition, and the two conditions that the stack waits for. No fixed sleeps.
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from 'node:tls';

const EVERY_MS = 50;

/** Resolves once `condition` holds; throws with `what` after `withinMs`. */
export async function until(
  what: string,
  condition: () => Promise<boolean> | boolean,
  withinMs: number,
): Promise<void> {
  const giveUpAt = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > giveUpAt) throw new Error(`${what} within ${withinMs / 1000} seconds`);
    await pause(EVERY_MS);
  }
}

/** Returns whether `url` answers 200. */
export function answersOk(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    get(url, { agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).on('error', () => resolve(false));
  });
}

/** Returns whether TLS with a certificate of that authority is spoken on `localhost:port`. Asks for nothing: no log line. */
export function speaksTls(port: number, authorityFile: string): Promise<boolean> {
  return new Promise((resolve) => {
    const ca = readIfThere(authorityFile);
    if (ca === undefined) return resolve(false);
    const socket = connect({ host: '127.0.0.1', servername: 'localhost', port, ca }, () => {
      socket.end();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
