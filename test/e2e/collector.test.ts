// A real OpenTelemetry Collector gets everything: whole traces of signed-in people with the parents and
// attributes that are promised, over gRPC and over HTTP; a real Caddy, provider and traced app in front.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { NAMES } from '../../sidecar/trace/names.ts';
import { spanIdsOf, traceIdOf } from '../../sidecar/trace/ids.ts';
import { startCollector, WAYS, type Collector, type Way } from '../fixtures/collector.ts';
import { BUILD_TIMEOUT_MS, findCollector } from '../fixtures/collector-find.ts';
import { startEdge, type Edge } from '../fixtures/edge.ts';
import type { JsonSpan } from '../fixtures/otlp-json.ts';
import { startSampleApp, type SampleApp } from '../fixtures/sample-app.ts';
import { makeFolder } from '../fixtures/sidecar.ts';
import { until } from '../fixtures/until.ts';

/** What `orders` says of each of its spans: who is behind it, out of the baggage. */
const ALICE = { 'user.id': 'alice', team: 'payments', user_type: 'human' };

let remove = () => {};
let collector: Collector;
let app: SampleApp;
let edge: Edge;
let cookie: string;
let requestId: string;
let refusedId: string;

beforeAll(async () => {
  collector = await startCollector(await findCollector(process.env));
  app = await startSampleApp(collector.endpoints.app);
  const made = makeFolder();
  ({ remove } = made);
  const file = join(made.folder, 'signet.yaml');
  writeFileSync(file, JSON.stringify(settings()));
  const extra = { SIGNET_CONFIG: file, SIGNET_DESTINATION: '', LIGHTSTEP_ACCESS_TOKEN: '' };
  edge = await startEdge(site(), { extra });
  cookie = await edge.signIn('alice');
  ({ requestId } = await edge.send('/payments/', [cookie]));
  ({ requestId: refusedId } = await edge.send('/admin/', [cookie]));
}, BUILD_TIMEOUT_MS + 60_000);

afterAll(async () => {
  await edge?.stop();
  await app?.stop();
  await collector?.stop();
  remove();
});

/** signet.yaml: JSON is YAML. */
function settings() {
  const signals = ['traces', 'logs', 'metrics'];
  const { grpc, http } = collector.endpoints;
  return {
    destinations: [
      { name: 'by-grpc', protocol: 'grpc', endpoint: grpc, signals },
      { name: 'by-http', protocol: 'http/protobuf', endpoint: http, signals },
    ],
    service: { environment: 'test', deployment: 'd-42' },
  };
}

const site = () => `
	handle /admin/* {
		import protect admin role:auditor {
			reverse_proxy ${app.address}
		}
	}
	handle {
		import protect orders any {
			reverse_proxy ${app.address}
		}
	}`;

/** Resolves to the spans of a trace, as soon as there are so many. */
async function trace(way: Way, id: string, count: number): Promise<JsonSpan[]> {
  const found = () => collector.exported[way].spans.filter(({ traceId }) => traceId === id);
  await until(`${count} spans of ${id} by ${way}`, () => found().length >= count);
  return found();
}

const byId = (spans: readonly JsonSpan[], id: string) => spans.find(({ spanId }) => spanId === id);

describe.each(WAYS)('by %s', (way) => {
  test("a request's trace is whole: ingress, gate, upstream, and the app's own span under it", async () => {
    const spans = await trace(way, traceIdOf(requestId), 4);
    const ids = spanIdsOf(requestId);
    const own = spans.find(({ resource }) => resource['service.name'] === 'orders');
    const tree = spans.map(({ spanId, parentSpanId, kind, name }) => [
      spanId,
      parentSpanId,
      `${kind} ${name}`,
    ]);
    expect(tree).toHaveLength(4);
    expect(new Set(tree)).toEqual(
      new Set([
        [ids.ingress, '', 'SERVER GET orders'],
        [ids.gate, ids.ingress, 'INTERNAL signet.verify'],
        [ids.upstream, ids.ingress, 'CLIENT GET'],
        [own?.spanId, ids.upstream, 'SERVER GET'],
      ]),
    );
  });

  test('says who it was, and what was decided, on the spans of the edge', async () => {
    const spans = await trace(way, traceIdOf(requestId), 4);
    const ids = spanIdsOf(requestId);
    const decided = { [NAMES.decision]: 'allow', [NAMES.reason]: 'requirement-met' };
    expect(byId(spans, ids.ingress)?.attributes).toMatchObject({
      ...ALICE,
      ...decided,
      [NAMES.route]: 'orders',
      [NAMES.requirement]: 'any',
      [NAMES.requestId]: requestId,
      [NAMES.responseStatus]: 200,
      [NAMES.roles]: ['engineer'],
    });
    expect(byId(spans, ids.gate)?.attributes).toMatchObject({ ...ALICE, ...decided });
    expect(byId(spans, ids.upstream)?.attributes).toMatchObject({
      ...ALICE,
      [NAMES.serverAddress]: '127.0.0.1',
    });
  });

  test('the app knows by the baggage who it was', async () => {
    const spans = await trace(way, traceIdOf(requestId), 4);
    const own = spans.find(({ resource }) => resource['service.name'] === 'orders');
    expect(own?.attributes).toMatchObject(ALICE);
  });

  test('children lie within their parents', async () => {
    const spans = await trace(way, traceIdOf(requestId), 4);
    const parents = spans.filter(({ resource }) => resource['service.name'] !== 'orders');
    for (const { parentSpanId, startNs, endNs } of parents) {
      const parent = byId(spans, parentSpanId);
      if (parent === undefined) continue;
      expect([parent.startNs <= startNs, endNs <= parent.endNs]).toEqual([true, true]);
    }
  });

  test('the edge is a resource of its own, with its deployment', async () => {
    const spans = await trace(way, traceIdOf(requestId), 4);
    expect(byId(spans, spanIdsOf(requestId).ingress)?.resource).toMatchObject({
      'service.name': 'caddy',
      'deployment.environment.name': 'test',
      'deployment.id': 'd-42',
    });
  });

  test('a refusal has its reason and reaches no app', async () => {
    const spans = await trace(way, traceIdOf(refusedId), 2);
    const ids = spanIdsOf(refusedId);
    expect(spans.map(({ spanId }) => spanId).toSorted()).toEqual(
      [ids.ingress, ids.gate].toSorted(),
    );
    const ingress = byId(spans, ids.ingress);
    expect(ingress?.attributes).toMatchObject({
      ...ALICE,
      [NAMES.decision]: 'deny',
      [NAMES.reason]: 'role-not-allowed',
      [NAMES.responseStatus]: 403,
    });
    expect(ingress?.isError).toBe(false);
  });

  test('a sign-in shows the calls to the provider that it waited for', async () => {
    const { spans } = collector.exported[way];
    const isCall = ({ name }: JsonSpan) => ['POST /token', 'GET /jwks', 'GET /me'].includes(name);
    await until('the calls', () => spans.filter(isCall).length >= 3);
    const calls = spans.filter(isCall);
    expect(calls.map(({ name }) => name).toSorted()).toEqual([
      'GET /jwks',
      'GET /me',
      'POST /token',
    ]);
    const parent = calls[0]?.parentSpanId ?? '';
    await until('the sign-in itself', () => byId(spans, parent));
    expect(new Set(calls.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([parent]));
    const ingress = byId(spans, parent);
    expect([ingress?.name, ingress?.attributes[NAMES.urlPath]]).toEqual([
      'GET signet',
      '/.signet/callback',
    ]);
    for (const { traceId, startNs, endNs } of calls) {
      expect(traceId).toBe(ingress?.traceId);
      expect([startNs >= ingress!.startNs, endNs <= ingress!.endNs]).toEqual([true, true]);
    }
  });

  test('the audit trail comes as log records, which name the trace and its ingress span', async () => {
    const { records } = collector.exported[way];
    const ofRequest = () =>
      records.find(({ traceId, eventName }) => {
        return traceId === traceIdOf(requestId) && eventName === 'signet.request';
      });
    await until('the record of the request', ofRequest);
    expect(ofRequest()).toMatchObject({
      spanId: spanIdsOf(requestId).ingress,
      attributes: { ...ALICE, [NAMES.decision]: 'allow' },
      resource: { 'service.name': 'caddy', 'deployment.id': 'd-42' },
    });
  });

  test('a sign-in is an event by its name', async () => {
    const signIn = () =>
      collector.exported[way].records.find(({ eventName }) => eventName === 'signet.sign_in');
    await until('the event', signIn);
    expect(signIn()?.attributes).toMatchObject({ [NAMES.user]: 'alice' });
  });
});

describe('at the latest when the sidecar stops', () => {
  beforeAll(async () => {
    await Promise.all(WAYS.map((way) => trace(way, traceIdOf(requestId), 4)));
    await edge.sidecar().stop();
  });

  const pointsOf = (way: Way, wanted: string) =>
    collector.exported[way].metrics
      .filter(({ name }) => name === wanted)
      .flatMap(({ points }) => points)
      .filter(({ attributes }) => attributes[NAMES.route] === 'orders');

  test.each(WAYS)('requests are counted by %s, by what they were and whose team asked', (way) => {
    const [ours] = pointsOf(way, 'signet.requests');
    expect(ours?.attributes).toMatchObject({
      team: 'payments',
      user_type: 'human',
      [NAMES.decision]: 'allow',
      'signet.status_class': '2xx',
    });
  });

  test.each(WAYS)('how long they took is told by %s, with a trace as an example', (way) => {
    const [ours] = pointsOf(way, 'http.server.request.duration');
    expect(ours?.exemplars).toEqual([traceIdOf(requestId)]);
  });

  test.each(WAYS)('no person is a label of a metric by %s', (way) => {
    const labels = collector.exported[way].metrics.flatMap(({ points }) =>
      points.map(({ attributes }) => attributes),
    );
    expect(labels.length).toBeGreaterThan(10);
    expect(JSON.stringify(labels)).not.toMatch(/alice|user\.id/);
  });
});
