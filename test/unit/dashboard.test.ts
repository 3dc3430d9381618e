// Grafana's dashboard: about metrics that there are, with expressions that are sound, and panels that don't lie
// on each other. Whether Grafana shows it well only Grafana can tell.
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { everyMetric, unknownIn } from '../fixtures/metric-names.ts';
import { namedIn } from '../fixtures/promql.ts';
import { checkExpressions } from '../fixtures/promtool.ts';

type Place = { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
type Panel = {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: Place;
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly exemplar?: boolean;
    readonly legendFormat: string;
    readonly datasource: { readonly uid: string };
  }[];
};
type Variable = { readonly name: string; readonly type: string; readonly definition?: string };

const file = new URL('../../deploy/grafana/signet.json', import.meta.url);
const dashboard = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
};
const { panels, templating } = dashboard;
const targets = panels.flatMap((panel) => panel.targets ?? []);
const expressions = targets.map(({ expr }) => filled(expr));

// As Grafana fills in its variables.
function filled(expression: string): string {
  return expression.replaceAll(/\$__(rate_interval|range)/g, '5m').replaceAll(/\$\w+/g, '.*');
}

test('it has the schema of Grafana 11', () => {
  expect(dashboard.schemaVersion).toBe(39);
});

test('every expression is sound, by promtool', () => {
  const { code, out } = checkExpressions(expressions);
  expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('SUCCESS') });
});

test('an expression that is not sound would be found', () => {
  expect(checkExpressions(['sum by (team) (rate(signet_requests_total))']).code).not.toBe(0);
});

test('they name only metrics, labels and values that Signet writes', () => {
  const known = everyMetric();
  expect(expressions.flatMap((expression) => unknownIn(expression, known))).toEqual([]);
});

test('what the variables and legends name is there, too', () => {
  const known = everyMetric();
  const labels = new Set([...known.values()].flatMap((each) => [...each.keys()]));
  const asked = templating.list.flatMap(({ definition = '' }) => {
    const [, selector = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(definition) ?? [];
    return definition === '' ? [] : [[filled(selector), label] as const];
  });
  const legends = targets.flatMap(({ legendFormat }) =>
    [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label),
  );
  expect(asked.flatMap(([selector]) => unknownIn(selector, known))).toEqual([]);
  expect(
    [...asked.map(([, label]) => label), ...legends].filter((name) => !labels.has(name)),
  ).toEqual([]);
});

test('every metric that Signet writes is shown', () => {
  const familyOf = (name: string) => name.replace(/_(bucket|sum|count)$/, '');
  const shown = new Set(expressions.flatMap((each) => namedIn(each).metrics).map(familyOf));
  const families = [...everyMetric().keys()].map(familyOf).filter((name) => name !== 'up');
  expect(families.filter((name) => !shown.has(name))).toEqual([]);
});

test('every panel asks the data source that is chosen', () => {
  const uids = [
    ...panels.filter(({ type }) => type !== 'row').map(({ datasource }) => datasource?.uid),
    ...targets.map(({ datasource }) => datasource.uid),
  ];
  expect(new Set(uids)).toEqual(new Set(['${datasource}']));
  expect(templating.list[0]).toMatchObject({ name: 'datasource', type: 'datasource' });
});

test('only variables that there are are named', () => {
  const names = [...JSON.stringify(panels).matchAll(/\$\{?([a-z]\w*)/g)].map(([, name]) => name);
  const there = templating.list.map(({ name }) => name);
  expect([...new Set(names)].filter((name) => name !== undefined && !there.includes(name))).toEqual(
    [],
  );
});

test('latencies at the edge come with exemplars', () => {
  const latencies = targets.filter(({ expr }) => expr.includes('request_duration_seconds_bucket'));
  const shown = latencies.filter(({ legendFormat }) => legendFormat !== '');
  expect(shown.map(({ exemplar }) => exemplar)).toEqual(shown.map(() => true));
});

test('ids are unique, and so are the letters of a panel’s queries', () => {
  const ids = panels.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const letters = panels.map(({ targets: own = [] }) => own.map(({ refId }) => refId));
  expect(letters.filter((own) => new Set(own).size < own.length)).toEqual([]);
});

test('no panel lies on another, and none beyond the 24 columns', () => {
  const places = panels.map(({ gridPos, title }) => ({ ...gridPos, title }));
  const meets = (one: Place, two: Place) =>
    one.x < two.x + two.w &&
    two.x < one.x + one.w &&
    one.y < two.y + two.h &&
    two.y < one.y + one.h;
  const wrong = places.filter(
    (one, index) => one.x + one.w > 24 || places.slice(index + 1).some((two) => meets(one, two)),
  );
  expect(wrong.map(({ title }) => title)).toEqual([]);
});
