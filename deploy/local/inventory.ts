// The sample app's second process: what is in stock, from a SQLite database in memory. It is reached
// by `orders` only, and the baggage of the edge arrives here, too.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { SpanKind, trace } from '@opentelemetry/api';
import { noteBaggage, stopTracing } from './instrument.ts';
import { serveUntilStopped } from './life.ts';

const STOCK = 'SELECT product, quantity FROM stock ORDER BY product';

const database = new DatabaseSync(':memory:');
database.exec(`
  CREATE TABLE stock (product TEXT PRIMARY KEY, quantity INTEGER NOT NULL);
  INSERT INTO stock VALUES ('lamp', 12), ('chair', 4), ('table', 1);
`);

// node:sqlite has no instrumentation: this span is made by hand.
function query(sql: string): unknown[] {
  const attributes = {
    'db.system.name': 'sqlite',
    'db.operation.name': 'SELECT',
    'db.collection.name': 'stock',
    'db.query.text': sql,
  };
  const tracer = trace.getTracer('inventory');
  return tracer.startActiveSpan('SELECT stock', { kind: SpanKind.CLIENT, attributes }, (span) => {
    try {
      return database.prepare(sql).all();
    } finally {
      span.end();
    }
  });
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const server = createServer((request, response) => {
  noteBaggage();
  if (request.url === '/stock') answer(response, 200, query(STOCK));
  else answer(response, 404, { error: 'not found' });
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  serveUntilStopped(port, async () => {
    server.close();
    server.closeAllConnections();
    await stopTracing();
  });
});
