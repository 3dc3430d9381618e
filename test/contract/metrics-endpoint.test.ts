// `/metrics` on the health listener: the text that a scraper asks for, as what it says it is.
import { describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { createHealth } from '../../sidecar/http/health.ts';
import type { MetricsFormat } from '../../sidecar/http/metrics-format.ts';
import { createMetrics, recorderDown } from '../../sidecar/metrics/metrics.ts';
import { writeText } from '../../sidecar/metrics/write-text.ts';
import { readExposition, valueOf } from '../fixtures/exposition.ts';
import { aRow, STARTED_AT_US } from '../fixtures/rows.ts';

const OPENMETRICS = 'application/openmetrics-text; version=1.0.0';

function appOf(metrics?: (format: MetricsFormat) => Promise<string>) {
  const checks = () => ({});
  return createHealth({ checks, essential: [], ...(metrics !== undefined && { metrics }) });
}

const someMetrics = createMetrics({
  startedAtUs: STARTED_AT_US,
  version: '1.2.3',
  spanIdOf: () => 'b7ad6b7169203331',
});
someMetrics.observe([aRow()]);
const app = appOf(async (format) => writeText(someMetrics.snapshot(STARTED_AT_US), format));

describe('/metrics', () => {
  test('is Prometheus’s text for whoever does not ask for another', async () => {
    const response = await request(app).get('/metrics');
    expect(response.status).toBe(200);
    expect(response.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(response.text).not.toContain('# EOF');
  });

  test('is OpenMetrics, with exemplars, for whoever asks for that', async () => {
    const response = await request(app).get('/metrics').set('Accept', OPENMETRICS).buffer();
    expect(response.headers['content-type']).toBe(
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
    );
    const { samples } = readExposition(response.text);
    expect(samples.some(({ exemplar }) => exemplar !== undefined)).toBe(true);
  });

  test('is kept by nobody on the way', async () => {
    const response = await request(app).get('/metrics');
    expect(response.headers['cache-control']).toBe('no-store');
  });

  test('is 200 without the recorder, and says that it does not answer', async () => {
    const down = appOf(async (format) => writeText(recorderDown(STARTED_AT_US), format));
    const response = await request(down).get('/metrics');
    expect(response.status).toBe(200);
    expect(valueOf(readExposition(response.text), 'signet_recorder_up')).toBe(0);
  });

  test('is 500 with the reason when it fails', async () => {
    const broken = appOf(() => Promise.reject(new Error('boom')));
    const response = await request(broken).get('/metrics');
    expect(response.status).toBe(500);
    expect(response.text).toContain('boom');
  });

  test('is not there where nobody gives it', async () => {
    expect((await request(appOf()).get('/metrics')).status).toBe(404);
  });
});
