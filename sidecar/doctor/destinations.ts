// One span to each destination, by the sidecar's own transports: it is named `signet doctor`, and says that it is
// a test. No cursor moves, no budget counts it.
import { randomBytes } from 'node:crypto';
import { explain } from '../fault.ts';
import type { Destination } from '../otlp/destination.ts';
import type { ProxySettings } from '../otlp/proxy.ts';
import type { Answer, Failure } from '../otlp/transport.ts';
import type { Span } from '../trace/span.ts';
import { type Line, notLookedAt, well, wrong } from './line.ts';

/** What is sent, and by which way. */
export type Sending = {
  readonly destinations: readonly Destination[];
  readonly proxy?: ProxySettings;
  /** Attributes of the resource that the sidecar sends spans with. */
  readonly resource: Readonly<Record<string, string>>;
  readonly version: string;
};

/** Says that a span is no request's. */
export const TEST_ATTRIBUTE = 'signet.test';

/** What mends an answer, by its kind. */
const MENDS: Readonly<Record<Failure['kind'], string>> = {
  unauthorized:
    'put a token that holds into its file or variable: a file is read anew when it changes',
  misdirected: 'correct `endpoint`, or `protocol`: gRPC and HTTP have ports of their own',
  retry: 'can this machine reach it, through a proxy or firewall? The sidecar goes on trying',
  refused: 'it takes no spans as OTLP has them: look at its own documentation and log',
  unclear: "look at the destination's own log",
};

/** Returns the line about a destination. Never rejects; ends by the transport's own deadline. */
export async function tryDestination(
  destination: Destination,
  { proxy, resource, version }: Sending,
  nowUs: number,
): Promise<Line> {
  const name = `destination ${destination.name}`;
  if (!destination.signals.includes('traces')) {
    return notLookedAt(name, `it takes ${destination.signals.join(' and ')}, and no spans`);
  }
  try {
    // Loaded only here: most of a run needs no gRPC.
    const { createTransport } = await import('../otlp/connect.ts');
    const { createSpanEncoder } = await import('../otlp/encode-spans.ts');
    const transport = createTransport(destination, { version, ...(proxy && { proxy }) });
    const request = createSpanEncoder(resource, version)([testSpan(nowUs)]);
    const answer = await transport.send('traces', request).finally(() => transport.close());
    return await judgeAnswer(name, answer);
  } catch (error) {
    return wrong(name, explain(error), MENDS.unclear);
  }
}

async function judgeAnswer(name: string, answer: Answer): Promise<Line> {
  if (answer.kind !== 'acknowledged') {
    return wrong(name, `${answer.problem} (${answer.kind})`, MENDS[answer.kind]);
  }
  const { readRejection } = await import('../otlp/read-response.ts');
  const rejection = readRejection(answer.response, 1);
  if (rejection === undefined) return well(name, 'took a test span, named `signet doctor`');
  const seen = `took a test span, and did not keep it: ${rejection.reason || 'it does not say why'}`;
  return wrong(name, seen, MENDS.refused);
}

function testSpan(nowUs: number): Span {
  return {
    traceId: randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    name: 'signet doctor',
    kind: 'INTERNAL',
    startUs: nowUs,
    endUs: nowUs,
    attributes: { [TEST_ATTRIBUTE]: true },
    isError: false,
  };
}
