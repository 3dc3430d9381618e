// Which text of metrics a scraper wants, by its `Accept` (RFC 9110 section 12.5.1). Pure.

/** OpenMetrics 1.0, which has exemplars, or Prometheus's older text. */
export type MetricsFormat = 'openmetrics' | 'prometheus';

/** Format → what the answer says that it is. */
export const METRICS_TYPES: Readonly<Record<MetricsFormat, string>> = {
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
};

/**
 * Returns OpenMetrics for whoever names it, in a version that we have, and wants the older text no more.
 * Prometheus names both and OpenMetrics first; a browser or curl names none.
 */
export function metricsFormat(accept: string | undefined): MetricsFormat {
  const ranges = (accept ?? '').toLowerCase().split(',').map(rangeOf);
  const open = ranges.filter(
    ({ type, version }) => type === 'application/openmetrics-text' && version === '1.0.0',
  );
  const plain = ranges.filter(({ type }) => type === 'text/plain');
  const wanted = highest(open);
  return wanted > 0 && wanted >= highest(plain) ? 'openmetrics' : 'prometheus';
}

type Range = { readonly type: string; readonly version: string; readonly quality: number };

function rangeOf(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim());
  const valueOf = (name: string) =>
    parameters.find((parameter) => parameter.startsWith(`${name}=`))?.slice(name.length + 1);
  return { type, version: valueOf('version') ?? '1.0.0', quality: Number(valueOf('q') ?? 1) };
}

function highest(ranges: readonly Range[]): number {
  return Math.max(0, ...ranges.map(({ quality }) => quality));
}
