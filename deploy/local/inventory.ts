// The sample app's second process: what is in stock, from a SQLite database in memory. It is reached
// by `orders` only, and notes on its span the baggage that arrived here from the edge.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { context, propagation, SpanKind, trace } from '@opentelemetry/api';
import { stopTracing } from './instrument.ts';
import { serveUntilStopped } from './life.ts';

const BAGGAGE = ['user.id', 'team', 'user_type'];
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

// Baggage is not put on spans by itself; here it shows that it came all the way.
function noteBaggage(): void {
  const baggage = propagation.getBaggage(context.active());
  for (const key of BAGGAGE) {
    const value = baggage?.getEntry(key)?.value;
    if (value !== undefined) trace.getActiveSpan()?.setAttribute(key, value);
  }
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
