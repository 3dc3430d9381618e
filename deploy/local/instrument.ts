// Traces a process of the sample app: preloaded with `--import`, so that node:http is instrumented
// before anything imports it. Where spans go is told by the standard OTEL_* variables.
import { register } from 'node:module';
import { context, propagation, trace } from '@opentelemetry/api';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { NodeSDK } from '@opentelemetry/sdk-node';

// Without this hook an ES module's node:http stays untouched: no SERVER span, no baggage, no error.
register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);

const sdk = new NodeSDK({ instrumentations: [new HttpInstrumentation()] });
sdk.start();

const BAGGAGE = ['user.id', 'team', 'user_type'];

/** Notes on the active span who is behind it. Baggage is not put on spans by itself. */
export function noteBaggage(): void {
  const baggage = propagation.getBaggage(context.active());
  for (const key of BAGGAGE) {
    const value = baggage?.getEntry(key)?.value;
    if (value !== undefined) trace.getActiveSpan()?.setAttribute(key, value);
  }
}

/** Sends what is still queued, and stops tracing. */
export function stopTracing(): Promise<void> {
  return sdk.shutdown();
}
