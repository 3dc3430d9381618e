// An OTLP/gRPC receiver in Lightstep's place, as a process of its own: it wants the access token in
// each call, and appends every span to a file of JSON lines before it answers.
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
import { spanLines, type ExportRequest } from './span-line.ts';

const SERVICE = 'opentelemetry.proto.collector.trace.v1.TraceService';
const port = Number(process.env['RECEIVER_PORT'] ?? '0');
const token = needed('RECEIVER_TOKEN');
const spansFile = needed('RECEIVER_SPANS');

const exportSpans: handleUnaryCall<ExportRequest, object> = (call, answer) => {
  if (call.metadata.get('lightstep-access-token').join() !== token) {
    answer({ code: status.UNAUTHENTICATED, details: 'lightstep-access-token is missing or wrong' });
    return;
  }
  // Written before it is acknowledged: the sender forgets what we acknowledge.
  appendFileSync(
    spansFile,
    spanLines(call.request)
      .map((line) => `${JSON.stringify(line)}\n`)
      .join(''),
  );
  answer(null, {});
};

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
