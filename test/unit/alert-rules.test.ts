// The alert rules: sound, tested by promtool, about metrics that there are, and explained.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { everyMetric, unknownIn, type MetricLabels } from '../fixtures/metric-names.ts';
import { promtool } from '../fixtures/promtool.ts';

type Rule = {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: { readonly severity?: string };
  readonly annotations?: Readonly<Record<string, string>>;
};

const fileOf = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const RULES = fileOf('deploy/prometheus/signet.rules.yml');
const TESTS = fileOf('deploy/prometheus/signet.rules.test.yml');

const { groups } = parse(readFileSync(RULES, 'utf8')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const alerts = rules.filter(({ alert }) => alert !== undefined);

// What is recorded has the labels that its rule groups by, and whatever else they had.
function known(): MetricLabels {
  const all = new Map(everyMetric());
  const labels = new Map([...all.values()].flatMap((each) => [...each]));
  for (const { record } of rules) if (record !== undefined) all.set(record, labels);
  return all;
}

test('promtool finds nothing wrong in them', () => {
  expect(promtool('check', 'rules', RULES)).toMatchObject({ code: 0 });
});

// With what it printed, which names the alert, the time, and what fired instead.
test('each fires when it must and not when it must not, by their own tests', () => {
  expect(promtool('test', 'rules', TESTS)).toEqual({
    code: 0,
    out: expect.stringContaining('SUCCESS'),
  });
});

test('they name only metrics, labels and values that Signet writes', () => {
  const metrics = known();
  const wrong = rules.flatMap(({ expr, alert, record }) =>
    unknownIn(expr, metrics).map((what) => `${alert ?? record}: ${what}`),
  );
  expect(wrong).toEqual([]);
});

test('a metric, a label or a value that there is not would be found', () => {
  const metrics = known();
  expect(unknownIn('rate(signet_request_total[5m])', metrics)).toEqual([
    'the metric signet_request_total',
  ]);
  expect(unknownIn('sum by (route) (signet_requests_total)', metrics)).toEqual(['the label route']);
  expect(unknownIn('signet_delivery_status{signet_status=~"retrying|gone"}', metrics)).toEqual([
    'the value gone of signet_status',
  ]);
});

describe.each(alerts.map((rule) => [rule.alert ?? '', rule] as const))('%s', (name, rule) => {
  const { summary, description, runbook = '' } = rule.annotations ?? {};

  test('says how urgent it is, what it is, and what to do', () => {
    expect(['critical', 'warning', 'info']).toContain(rule.labels?.severity);
    expect([summary, description].every((text) => (text ?? '').length > 20)).toBe(true);
  });

  test('is explained where it says', () => {
    const [path = '', anchor] = runbook.split('#');
    const headings = readFileSync(fileOf(path), 'utf8').matchAll(/^#+ (.+)$/gm);
    expect(anchor).toBe(name.toLowerCase());
    expect([...headings].map(([, heading]) => heading?.toLowerCase())).toContain(anchor);
  });

  test('is among those that are tested', () => {
    expect(readFileSync(TESTS, 'utf8')).toContain(`alertname="${name}"`);
  });
});
