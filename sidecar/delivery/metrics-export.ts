// Metrics on their way to the destinations that want them: once a minute, one try. They are sums as they
// stand, so what did not arrive is in the next; nothing is kept, and nothing waits for it.
import type { Transport } from '../otlp/transport.ts';

/** How often metrics are sent: what OpenTelemetry's SDKs have. */
export const EXPORT_EVERY_MS = 60_000;

export type MetricsDestination = {
  readonly name: string;
  readonly transport: Pick<Transport, 'send'>;
};

export type MetricsExportOptions = {
  readonly destinations: readonly MetricsDestination[];
  /** Returns the request as the metrics are now, in memory that nothing writes over. */
  readonly encode: () => Buffer;
  readonly everyMs?: number;
};

export type MetricsExport = {
  /** Returns why the last try failed, in a sentence for each destination where it did. */
  problems(): readonly string[];
  /** Sends a last time, and ends. Resolves when that is answered, or at the deadline. */
  finish(deadlineMs: number): Promise<void>;
};

/** Returns the export, begun; without a destination it does nothing. */
export function createMetricsExport({
  destinations,
  encode,
  everyMs = EXPORT_EVERY_MS,
}: MetricsExportOptions): MetricsExport {
  const problems = new Map<string, string>();
  const underWay = new Map<string, Promise<void>>();
  const timer = destinations.length > 0 ? setInterval(sendAll, everyMs).unref() : undefined;

  // One that has not answered the last time is not asked again: its answer may take as long.
  function sendAll(): void {
    const free = destinations.filter(({ name }) => !underWay.has(name));
    if (free.length === 0) return;
    const request = encode();
    for (const destination of free) {
      const sending = send(destination, request).finally(() => underWay.delete(destination.name));
      underWay.set(destination.name, sending);
    }
  }

  async function send({ name, transport }: MetricsDestination, request: Buffer): Promise<void> {
    const answer = await transport.send('metrics', request);
    if (answer.kind === 'acknowledged') problems.delete(name);
    else problems.set(name, `metrics for ${name} were not taken: ${answer.problem}`);
  }

  async function finish(deadlineMs: number): Promise<void> {
    clearInterval(timer);
    sendAll();
    const { promise: expired, resolve } = Promise.withResolvers<void>();
    const deadline = setTimeout(resolve, deadlineMs);
    await Promise.race([expired, Promise.all(underWay.values())]);
    clearTimeout(deadline);
  }

  return { problems: () => [...problems.values()], finish };
}
