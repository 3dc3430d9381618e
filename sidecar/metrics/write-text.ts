// A snapshot as text: Prometheus's (0.0.4) or OpenMetrics (1.0), which has exemplars. Which of them is
// wanted, and how it is handed out, is not known here.
import { familyName, prometheusName, unitOf } from './prometheus-names.ts';
import type { Exemplar, HistogramPoint, Labels, Metric, Snapshot } from './snapshot.ts';

export type TextFormat = 'openmetrics' | 'prometheus';

/** Returns the text; the resource's attributes are the labels of `target_info`. */
export function writeText(
  { metrics }: Snapshot,
  format: TextFormat,
  resource: Readonly<Record<string, string>> = {},
): string {
  const lines = [...targetLines(resource, format)];
  for (const metric of metrics) lines.push(...metricLines(metric, format));
  if (format === 'openmetrics') lines.push('# EOF');
  return `${lines.join('\n')}\n`;
}

// What is an `info` to OpenMetrics is a gauge to Prometheus, and there its whole name is the family's.
function targetLines(resource: Readonly<Record<string, string>>, format: TextFormat): string[] {
  if (Object.keys(resource).length === 0) return [];
  const isOpen = format === 'openmetrics';
  const head = headOf(isOpen ? 'target' : 'target_info', isOpen ? 'info' : 'gauge');
  return [...head, `target_info${labelText(joinedByName(resource))} 1`];

  function headOf(name: string, type: string): string[] {
    return [`# TYPE ${name} ${type}`, `# HELP ${name} What is measured.`];
  }
}

// Two attributes may have one name there, and a label that comes twice spoils the whole scrape: their
// values are one, joined by `;` in the order of the attributes' own names (the compatibility rules).
function joinedByName(resource: Readonly<Record<string, string>>): Labels {
  const joined = new Map<string, string>();
  for (const name of Object.keys(resource).toSorted()) {
    const label = prometheusName(name);
    const before = joined.get(label);
    const value = resource[name] ?? '';
    joined.set(label, before === undefined ? value : `${before};${value}`);
  }
  return Object.fromEntries(joined);
}

function metricLines(metric: Metric, format: TextFormat): string[] {
  const { instrument } = metric;
  const name = familyName(instrument);
  const isCounter = instrument.kind === 'counter';
  const total = isCounter ? `${name}_total` : name;
  const family = format === 'openmetrics' ? name : total;
  const head = [`# TYPE ${family} ${instrument.kind}`];
  const unit = unitOf(instrument);
  if (format === 'openmetrics' && unit !== undefined) head.push(`# UNIT ${family} ${unit}`);
  head.push(`# HELP ${family} ${instrument.description}`);
  if ('histograms' in metric) {
    const { bounds } = metric;
    return [
      ...head,
      ...metric.histograms.flatMap((point) => bucketLines(name, bounds, point, format)),
    ];
  }
  return [...head, ...metric.points.map(({ labels, value }) => sample(total, labels, value))];
}

function bucketLines(
  name: string,
  bounds: readonly number[],
  { labels, count, sum, counts, exemplars }: HistogramPoint,
  format: TextFormat,
): string[] {
  let upTo = 0;
  const buckets = counts.map((inBucket, index) => {
    upTo += inBucket;
    const le = boundText(bounds[index], format);
    const exemplar = format === 'openmetrics' ? exemplarText(exemplars[index]) : '';
    return sample(`${name}_bucket`, { ...labels, le }, upTo) + exemplar;
  });
  return [...buckets, sample(`${name}_sum`, labels, sum), sample(`${name}_count`, labels, count)];
}

// A whole number has a fraction in OpenMetrics, and none in the older text: as Go's client has it.
function boundText(bound: number | undefined, format: TextFormat): string {
  if (bound === undefined) return '+Inf';
  return format === 'openmetrics' && Number.isInteger(bound) ? `${bound}.0` : numberText(bound);
}

function exemplarText(exemplar: Exemplar | undefined): string {
  if (exemplar === undefined) return '';
  const labels = labelText({ trace_id: exemplar.traceId, span_id: exemplar.spanId });
  const atSeconds = (exemplar.atUs / 1_000_000).toFixed(6);
  return ` # ${labels} ${numberText(exemplar.value)} ${atSeconds}`;
}

function sample(name: string, labels: Labels, value: number): string {
  return `${name}${labelText(labels)} ${numberText(value)}`;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${prometheusName(name)}="${escaped(String(value))}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
