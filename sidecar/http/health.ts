// `/healthz` and `/readyz` for probes and people, `/metrics` for scrapers, on a loopback listener. Tells
// what it is handed; it looks at nothing itself.
import express, { type Express, type Request, type Response } from 'express';
import { explain } from '../fault.ts';
import { METRICS_TYPES, metricsFormat, type MetricsFormat } from './metrics-format.ts';

/** How one part is. What else it knows (counts, times, names) is shown as it is. */
export type Check = {
  readonly ok: boolean;
  /** A sentence for people: what is wrong and, where known, what to do. */
  readonly problem?: string;
  /** Of an essential one: it has failed, and people are let in all the same. */
  readonly readable?: true;
  readonly [more: string]: unknown;
};

/** `degraded`: requests are decided, but evidence, telemetry or new sign-ins are not as they should be. */
export type Readiness = 'ready' | 'degraded' | 'unready';

export type HealthOptions = {
  /** What is told of the process beside its status. */
  readonly about?: Readonly<Record<string, string>>;
  /** Asked for each request; must be quick. */
  readonly checks: () => Readonly<Record<string, Check>>;
  /** The checks without which nobody can be let in; one that isn't reported has failed. */
  readonly essential: readonly string[];
  /** Returns the metrics as text, within a scraper's patience; without it there is no `/metrics`. */
  readonly metrics?: (format: MetricsFormat) => Promise<string>;
};

/**
 * Returns the app. `/healthz` is 200 while the process lives; `/readyz` is 200 when ready or
 * degraded, 503 when an essential check fails. Both are JSON. `/metrics` is text, 500 when it fails.
 */
export function createHealth({ about, checks, essential, metrics }: HealthOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get('/healthz', (_request, response) => answer(response, 200, { status: 'alive' }));
  app.get('/readyz', (_request, response) => {
    const found = runChecks(checks);
    const status = judge(found, essential);
    answer(response, status === 'unready' ? 503 : 200, { status, ...about, checks: found });
  });
  if (metrics !== undefined) {
    app.get('/metrics', (request, response) => answerMetrics(request, response, metrics));
  }
  app.use((_request, response) => answer(response, 404, { status: 'unknown path' }));
  return app;
}

async function answerMetrics(
  request: Request,
  response: Response,
  metrics: NonNullable<HealthOptions['metrics']>,
): Promise<void> {
  const format = metricsFormat(request.get('Accept'));
  try {
    const text = await metrics(format);
    response.set({ 'Cache-Control': 'no-store', 'Content-Type': METRICS_TYPES[format] });
    response.end(text);
  } catch (error) {
    answer(response, 500, { status: 'no metrics', problem: explain(error) });
  }
}

function runChecks(checks: HealthOptions['checks']): Readonly<Record<string, Check>> {
  try {
    return checks();
  } catch (error) {
    return { health: { ok: false, problem: `the checks failed: ${explain(error)}` } };
  }
}

function judge(found: Readonly<Record<string, Check>>, essential: readonly string[]): Readiness {
  const isShut = (check?: Check) => check?.ok !== true && check?.readable !== true;
  if (essential.some((name) => isShut(found[name]))) return 'unready';
  return Object.values(found).every(({ ok }) => ok) ? 'ready' : 'degraded';
}

function answer(response: Response, status: number, body: object): void {
  response.status(status).set('Cache-Control', 'no-store').json(body);
}
