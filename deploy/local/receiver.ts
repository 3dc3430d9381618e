// An OTLP/gRPC receiver in Lightstep's place, as a process of its own. In the local stack it wants the
// access token in each call, and appends every span to a file of JSON lines before it answers. Started by
// hand, without a file, it takes spans from everyone on this machine, and prints them as trees.
import { appendFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  Server,
  ServerCredentials,
  status,
  type handleUnaryCall,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { needed, serveUntilStopped } from './life.ts';
import { spanLines, type ExportRequest, type SpanLine } from './span-line.ts';
import { traceTree } from './trace-tree.ts';

const SERVICE = 'opentelemetry.proto.collector.trace.v1.TraceService';
const port = Number(process.env['RECEIVER_PORT'] ?? '0');
const spansFile = process.env['RECEIVER_SPANS'];
const token = spansFile === undefined ? undefined : needed('RECEIVER_TOKEN');

const exportSpans: handleUnaryCall<ExportRequest, object> = (call, answer) => {
  if (token !== undefined && call.metadata.get('lightstep-access-token').join() !== token) {
    answer({ code: status.UNAUTHENTICATED, details: 'lightstep-access-token is missing or wrong' });
    return;
  }
  // Written before it is acknowledged: the sender forgets what we acknowledge.
  keep(spanLines(call.request));
  answer(null, {});
};

function keep(lines: readonly SpanLine[]): void {
  if (spansFile === undefined) return show(lines);
  appendFileSync(spansFile, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

function show(lines: readonly SpanLine[]): void {
  for (const traceId of new Set(lines.map((line) => line.traceId))) {
    console.log(`trace ${traceId}\n${traceTree(lines, traceId)}`);
  }
}

function traceService(): ServiceDefinition {
  const file = fileURLToPath(new URL('./trace.proto', import.meta.url));
  const definitions = loadSync(file, {
    longs: String,
    enums: String,
    defaults: true,
    oneofs: true,
  });
  return definitions[SERVICE] as ServiceDefinition;
}

const server = new Server();
server.addService(traceService(), { Export: exportSpans });
server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
  if (error) throw error;
  serveUntilStopped(bound, () => new Promise((resolve) => server.tryShutdown(() => resolve())));
});
