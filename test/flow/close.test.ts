// Closing the door in order: who is under way is answered, who waits for nothing is not waited for.
import { once } from 'node:events';
import { Agent, createServer, request, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { closeInOrder } from '../../sidecar/http/close.ts';

/** Longer than a test may take. */
const LONG_MS = 60_000;

let server: Server;
let agent: Agent;
let asked: PromiseWithResolvers<void>;
let answer: PromiseWithResolvers<void>;
beforeEach(async () => {
  asked = Promise.withResolvers();
  answer = Promise.withResolvers();
  server = createServer((_req, res) => {
    asked.resolve();
    void answer.promise.then(() => res.end('answered'));
  });
  server.keepAliveTimeout = 2 * LONG_MS;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  agent = new Agent({ keepAlive: true });
});
afterEach(() => {
  agent.destroy();
  server.closeAllConnections();
});

async function ask(): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const sent = request({ agent, host: '127.0.0.1', port }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return text(response);
}

test('a request that is under way is answered, and its connection is closed then', async () => {
  const answered = ask();
  await asked.promise;
  const closed = closeInOrder(server, LONG_MS);
  answer.resolve();
  expect(await answered).toBe('answered');
  await closed;
});

test('a connection that is kept for later is closed at once', async () => {
  answer.resolve();
  await ask();
  await closeInOrder(server, LONG_MS);
});

test('nobody is let in any more', async () => {
  const { port } = server.address() as AddressInfo;
  await closeInOrder(server, LONG_MS);
  const late = connect(port, '127.0.0.1');
  await expect(once(late, 'connect')).rejects.toThrow('ECONNREFUSED');
});

test('a request that gets no answer in time is cut off', async () => {
  const answered = ask();
  const refused = expect(answered).rejects.toThrow('socket hang up');
  await asked.promise;
  await closeInOrder(server, 50);
  await refused;
});
