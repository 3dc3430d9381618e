// Traces a process of the sample app: preloaded with `--import`, so that node:http is instrumented
// before anything imports it. Where spans go is told by the standard OTEL_* variables.
import { register } from 'node:module';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { NodeSDK } from '@opentelemetry/sdk-node';

// Without this hook an ES module's node:http stays untouched: no SERVER span, no baggage, no error.
register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);

const sdk = new NodeSDK({ instrumentations: [new HttpInstrumentation()] });
sdk.start();

/** Sends what is still queued, and stops tracing. */
export function stopTracing(): Promise<void> {
  return sdk.shutdown();
}
