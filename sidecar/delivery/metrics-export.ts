// Metrics on their way to the destinations that want them: once a minute, one try. They are sums as they
// stand, so what did not arrive is in the next; nothing is kept, and nothing waits for it.
import { explain } from '../fault.ts';
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

export type MetricsState = {
  /** When they were taken last, as ISO 8601 has it; absent before that. */
  readonly lastSentAt?: string;
  /** Why the last try failed. */
  readonly problem?: string;
};

export type MetricsExport = {
  /** Returns how it stands with each destination. */
  states(): Readonly<Record<string, MetricsState>>;
  /** Sends a last time, and ends. Resolves when that is answered, or at the deadline. */
  finish(deadlineMs: number): Promise<void>;
};

/** Returns the export, begun; without a destination it does nothing. */
export function createMetricsExport({
  destinations,
  encode,
  everyMs = EXPORT_EVERY_MS,
}: MetricsExportOptions): MetricsExport {
  const states = new Map<string, MetricsState>(destinations.map(({ name }) => [name, {}]));
  const underWay = new Map<string, Promise<void>>();
  const timer = destinations.length > 0 ? setInterval(sendAll, everyMs).unref() : undefined;

  // One that has not answered the last time is not asked again: its answer may take as long.
  function sendAll(): void {
    const free = destinations.filter(({ name }) => !underWay.has(name));
    if (free.length === 0) return;
    const request = encoded(free);
    if (request === undefined) return;
    for (const destination of free) {
      const { name } = destination;
      const sending = send(destination, request)
        .catch((error: unknown) => fail(name, explain(error)))
        .finally(() => underWay.delete(name));
      underWay.set(name, sending);
    }
  }

  // It is called by a timer: nobody else would hear of it.
  function encoded(free: readonly MetricsDestination[]): Buffer | undefined {
    try {
      return encode();
    } catch (error) {
      for (const { name } of free) fail(name, explain(error));
      return undefined;
    }
  }

  async function send({ name, transport }: MetricsDestination, request: Buffer): Promise<void> {
    const answer = await transport.send('metrics', request);
    if (answer.kind === 'acknowledged') {
      states.set(name, { lastSentAt: new Date().toISOString() });
    } else {
      fail(name, answer.problem);
    }
  }

  function fail(name: string, why: string): void {
    const problem = `metrics for ${name} were not taken: ${why}`;
    states.set(name, { ...states.get(name), problem });
  }

  async function finish(deadlineMs: number): Promise<void> {
    clearInterval(timer);
    sendAll();
    const { promise: expired, resolve } = Promise.withResolvers<void>();
    const deadline = setTimeout(resolve, deadlineMs);
    await Promise.race([expired, Promise.all(underWay.values())]);
    clearTimeout(deadline);
  }

  return { states: () => Object.fromEntries(states), finish };
}
