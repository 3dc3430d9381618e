// Sampling through the whole edge, with nothing to be kept: what is recorded, what is sent all the same,
// and what the app is told.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startEdge, type Edge } from '../fixtures/edge.ts';
import { SITE } from '../fixtures/site.ts';

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge(SITE, { extra: { SIGNET_SAMPLING_RATIO: '0' } });
});
afterAll(async () => edge.stop());

const traceOf = (requestId: string) => requestId.replaceAll('-', '');

test('what is not sampled is recorded and not sent, and the app knows', async () => {
  const { requestId } = await edge.send('/public/plain');
  const refused = await edge.send('/orders');
  expect((await edge.row(requestId)).sampled).toBe(false);
  // Sent in order: when what came later has arrived, the earlier had its turn.
  await edge.spans(refused.requestId, 2);
  const traceIds = edge.receiver.spans.map(({ traceId }) => traceId);
  expect(traceIds).not.toContain(traceOf(requestId));
  expect(edge.app.seen.at(-1)?.values('traceparent')).toEqual([expect.stringMatching(/-02$/)]);
});

test('a refusal is sent in full', async () => {
  const { status, requestId } = await edge.send('/orders');
  expect(status).toBe(401);
  const spans = await edge.spans(requestId, 2);
  expect(spans.map(({ kind }) => kind).toSorted()).toEqual(['INTERNAL', 'SERVER']);
});

test('of an error the ingress span is sent, and says that it was sampled late', async () => {
  const { status, requestId } = await edge.send('/public/status/500');
  expect(status).toBe(500);
  const spans = await edge.spans(requestId, 1);
  expect(spans).toMatchObject([
    { kind: 'SERVER', attributes: { 'signet.sampled_late': 'error', 'http.route': 'public' } },
  ]);
  expect((await edge.row(requestId)).sampled).toBe(false);
});
