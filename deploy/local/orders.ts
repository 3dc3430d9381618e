// The sample app that Signet protects: pages that are quick, slow, failing, streaming, and a
// WebSocket. It knows nothing of sign-in; it asks `inventory` for what is in stock.
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { trace } from '@opentelemetry/api';
import { WebSocketServer, type WebSocket } from 'ws';
import { noteBaggage, stopTracing } from './instrument.ts';
import { needed, serveUntilStopped } from './life.ts';
import { frontPage, ordersPage, plainPage, socketPage, type Stock } from './orders-pages.ts';

type Page = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void> | void;

const MAX_SLOW_MS = 10_000;
const DOWNLOAD_CHUNKS = 600;
const CHUNK = Buffer.alloc(16 * 1024, '.');

const PAGES: Readonly<Record<string, Page>> = {
  '/': ({ headers }, response) => show(response, 200, frontPage(headers, traceId())),
  '/orders': async (_, response) => show(response, 200, ordersPage(await stock(), traceId())),
  '/payments/': titled(200, 'Payments'),
  '/admin/': titled(200, 'Administration'),
  '/public/': titled(200, 'Public page'),
  '/open/': titled(200, 'An unprotected block'),
  '/fail': titled(500, 'The app failed, as it was asked to'),
  '/slow': slow,
  '/stream': (_, response) => drip(response, 6, 500, (n) => `line ${n + 1} of 6\n`),
  '/download': (_, response) => drip(response, DOWNLOAD_CHUNKS, 50, () => CHUNK),
  '/socket': (_, response) => show(response, 200, socketPage()),
};

function titled(status: number, title: string): Page {
  return ({ headers }, response) => show(response, status, plainPage(title, headers, traceId()));
}

async function slow({ headers }: IncomingMessage, response: ServerResponse, url: URL) {
  const asked = Number(url.searchParams.get('ms') ?? 300);
  const ms = Number.isFinite(asked) ? Math.min(Math.max(asked, 0), MAX_SLOW_MS) : 300;
  // A timer may fire a millisecond early; what is promised is "at least".
  await sleep(ms + 2);
  show(response, 200, plainPage(`That took ${ms} ms`, headers, traceId()));
}

async function drip(
  response: ServerResponse,
  count: number,
  everyMs: number,
  piece: (n: number) => string | Buffer,
) {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
  for (let n = 0; n < count && !response.destroyed; n++) {
    response.write(piece(n));
    await sleep(everyMs);
  }
  response.end();
}

function stock(): Promise<Stock[]> {
  return new Promise((resolve, reject) => {
    get(`http://127.0.0.1:${needed('INVENTORY_PORT')}/stock`, (answer) => {
      json(answer).then((body) => resolve(body as Stock[]), reject);
    }).on('error', reject);
  });
}

function traceId(): string {
  return trace.getActiveSpan()?.spanContext().traceId ?? 'none';
}

function show(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end(body);
}

function tick(socket: WebSocket): void {
  const tell = () => socket.send(`it is ${new Date().toISOString()}`);
  tell();
  const timer = setInterval(tell, 500);
  socket.on('close', () => clearInterval(timer));
  socket.on('error', () => socket.terminate());
}

const server = createServer((request, response) => {
  noteBaggage();
  const url = new URL(request.url ?? '/', 'http://orders');
  const serve = PAGES[url.pathname] ?? titled(404, 'There is no such page');
  Promise.resolve(serve(request, response, url)).catch((error: unknown) => {
    console.error(error);
    if (response.headersSent) response.destroy();
    else show(response, 502, plainPage('Inventory does not answer', request.headers, traceId()));
  });
});
const sockets = new WebSocketServer({ server, path: '/socket' });
sockets.on('connection', tick);
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  serveUntilStopped(port, async () => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
    server.closeAllConnections();
    await stopTracing();
  });
});
