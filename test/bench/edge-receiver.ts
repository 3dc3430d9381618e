// An OTLP/gRPC receiver that counts spans and whose they are, as a process of its own, so that its CPU
// is told apart. `startCounter` is for the process that measures.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Server, ServerCredentials, type handleUnaryCall } from '@grpc/grpc-js';
import type { Destination } from '../../sidecar/otlp/destination.ts';
import { attributeBytes, countBytes, countSpans } from './edge-spans.ts';

/** Since it was started. */
export type Counted = {
  readonly spans: number;
  /** Attributes `user.id` of each user that it was started for. */
  readonly ofUser: Readonly<Record<string, number>>;
};

export type Counter = {
  readonly pid: number;
  readonly port: number;
  counted(): Promise<Counted>;
  stop(): Promise<void>;
};

/** Starts it on a free port, or on a given one: to come back after being down. */
export async function startCounter(users: readonly string[], port = 0): Promise<Counter> {
  const file = fileURLToPath(import.meta.url);
  const child = fork(file, [String(port), ...users], { execArgv: [] });
  // From the start: Ctrl-C ends it together with this process.
  const gone = once(child, 'exit');
  const [bound] = (await once(child, 'message')) as [number | string];
  if (typeof bound === 'string') throw new Error(`the receiver can't listen: ${bound}`);
  return {
    pid: child.pid ?? 0,
    port: bound,
    counted: async () => {
      child.send('count');
      return ((await once(child, 'message')) as [Counted])[0];
    },
    stop: async () => {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** Returns a counter as a destination, with nothing that a stranger to this machine would need. */
export function aDestination(port: number): Destination {
  return {
    name: 'bench',
    protocol: 'grpc',
    endpoint: `http://127.0.0.1:${port}`,
    headers: {},
    compression: 'none',
    signals: ['traces'],
  };
}

function serve(port: string, users: readonly string[]): void {
  let spans = 0;
  const ofUser = new Map(users.map((user) => [user, 0]));
  const bytesOf = users.map((user) => ({ user, bytes: attributeBytes('user.id', user) }));
  const count: handleUnaryCall<Buffer, Buffer> = ({ request }, answer) => {
    spans += countSpans(request);
    for (const { user, bytes } of bytesOf) {
      ofUser.set(user, (ofUser.get(user) ?? 0) + countBytes(request, bytes));
    }
    answer(null, Buffer.alloc(0)); // an empty message: all was taken
  };
  const asItIs = (bytes: Buffer) => bytes;
  const method = {
    path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    requestStream: false,
    responseStream: false,
    requestSerialize: asItIs,
    requestDeserialize: asItIs,
    responseSerialize: asItIs,
    responseDeserialize: asItIs,
  };
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  server.addService({ Export: method }, { Export: count });
  server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
    process.send?.(error === null ? bound : error.message);
  });
  process.on('message', () => process.send?.({ spans, ofUser: Object.fromEntries(ofUser) }));
  process.on('disconnect', () => process.exit());
}

const [, file, port = '0', ...users] = process.argv;
if (file === fileURLToPath(import.meta.url)) serve(port, users);
