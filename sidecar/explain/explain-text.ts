// An explanation for people: what answers and why, to be read at a glance, and below it how the request got there. Of
// several things that may happen what is the same in all is told once, before them.
import { styleText } from 'node:util';
import { column, visible } from '../visible.ts';
import type { Explained, Told } from './explain.ts';
import type { Asked } from './explain-json.ts';
import type { Step } from './way.ts';
import { decisionOf, isPast, servedWords, whyWords, type Decision } from './words.ts';

export type Screen = { readonly colour: boolean; readonly hasTrail: boolean };

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;
type Row = readonly [name: string, text: string];

/** One thing that may happen, as it is told. */
type Case = {
  readonly decision: Decision;
  readonly rows: readonly Row[];
  readonly when: Told['when'];
  readonly trail: readonly Step[];
};

const STYLES: Record<Decision, Style> = {
  allow: 'green',
  login: 'yellow',
  deny: 'red',
  none: 'yellow',
};
const NAME_WIDTH = 12;
const VERB_WIDTH = 8;

/** Returns the lines, with their ends. */
export function explainText({ outcomes, isCut }: Explained, asked: Asked, screen: Screen): string {
  const paint: Paint = (style, text) =>
    screen.colour ? styleText(style, text, { validateStream: false }) : text;
  const { method, url, by } = asked;
  const cases = grouped(outcomes.map((told) => caseOf(told, asked, screen, paint)));
  const [only] = cases;
  const lines = [
    paint('bold', visible(`${method} ${url}`)) + visible(`  as ${by}`),
    ...(only !== undefined && cases.length === 1
      ? ['', ...rowLines(only.rows), ...trailLines(only.trail, paint)]
      : severalLines(cases, paint)),
    ...(isCut ? ['', 'There is more that may happen: not all of it was followed.'] : []),
  ];
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

function caseOf(told: Told, { locate }: Asked, { hasTrail }: Screen, paint: Paint): Case {
  const { open, served, when, behind, trail } = told;
  const last = verdictOf(told);
  const block = last?.route ?? open;
  const line = locate(told);
  const rows: [string, string | undefined][] = [
    ['block', block === undefined ? undefined : visible(block)],
    ['line', line === undefined ? undefined : visible(line)],
    ['requirement', last && visible(last.requirement)],
    ['decision', decisionText(told, paint)],
    ['why', visible(whyWords(told))],
    ['answers', visible(servedWords(served))],
    ['behind it', behind.length === 0 ? undefined : visible(behind.map(servedWords).join(', or '))],
  ];
  return {
    decision: decisionOf(told),
    rows: rows.flatMap(([name, text]) => (text === undefined ? [] : [[name, text] as const])),
    when,
    trail: hasTrail ? trail : [],
  };
}

function verdictOf({ asked }: Told): Told['asked'][number]['verdict'] | undefined {
  return (asked.findLast(({ verdict }) => verdict.decision !== 'allow') ?? asked.at(-1))?.verdict;
}

// What differs in its conditions alone is one thing.
function grouped(cases: readonly Case[]): Case[] {
  const distinct = new Map<string, Case>();
  for (const one of cases) {
    const key = JSON.stringify(one.rows);
    const same = distinct.get(key);
    distinct.set(key, same ? { ...same, when: [...same.when, ...one.when] } : one);
  }
  return [...distinct.values()];
}

// The decision first, where it is one for all.
function severalLines(cases: readonly Case[], paint: Paint): string[] {
  const isDecided = new Set(cases.map(({ decision }) => decision)).size === 1;
  const shared = isDecided ? sharedRows(cases) : [];
  const steps = isDecided ? sharedSteps(cases) : 0;
  const happens = `It hangs on what only the running Caddy knows; ${cases.length} things may happen:`;
  return [
    ...(shared.length === 0 ? [] : ['', ...rowLines(shared)]),
    ...trailLines(cases[0]?.trail.slice(0, steps) ?? [], paint),
    '',
    happens,
    ...cases.flatMap(({ rows, when, trail }, at) => [
      '',
      ...conditionLines(when, at + 1),
      ...rowLines(rows.filter((row) => !isAmong(row, shared))),
      ...trailLines(trail.slice(steps), paint),
    ]),
  ];
}

function sharedRows([first, ...others]: readonly Case[]): Row[] {
  return (first?.rows ?? []).filter((row) => others.every(({ rows }) => isAmong(row, rows)));
}

function isAmong([name, text]: Row, rows: readonly Row[]): boolean {
  return rows.some((row) => row[0] === name && row[1] === text);
}

// How many steps all ways have in common, from their beginning.
function sharedSteps([first, ...others]: readonly Case[]): number {
  const steps = first?.trail ?? [];
  const isShared = (step: Step, at: number) =>
    others.every(({ trail }) => JSON.stringify(trail[at]) === JSON.stringify(step));
  const end = steps.findIndex((step, at) => !isShared(step, at));
  return end === -1 ? steps.length : end;
}

function decisionText(told: Told, paint: Paint): string {
  const decision = decisionOf(told);
  const last = verdictOf(told);
  const style = isPast(told) ? 'red' : STYLES[decision];
  return `${paint(['bold', ...[style].flat()], decision)}${last ? `  ${last.reason}` : ''}`;
}

function rowLines(rows: readonly Row[]): string[] {
  return rows.map(([name, text]) => `  ${column(name, NAME_WIDTH)} ${text}`);
}

/** Of several ways to the same. */
const MOST_WAYS = 4;

function conditionLines(when: readonly (readonly string[])[], number: number): string[] {
  const ways = [
    ...new Set(when.map((all) => (all.length === 0 ? 'in any case' : `if ${all.join(', and ')}`))),
  ];
  const more = ways.length > MOST_WAYS ? [`or in ${ways.length - MOST_WAYS} more ways`] : [];
  const shown = [...ways.slice(0, MOST_WAYS), ...more];
  return shown.map((way, at) => `${at === 0 ? `${number}.` : '  '} ${visible(way)}`);
}

function trailLines(trail: readonly Step[], paint: Paint): string[] {
  if (trail.length === 0) return [];
  return [
    '',
    ...trail.map(({ did, what, why }) =>
      paint('dim', visible(`  ${column(did, VERB_WIDTH)} ${what}: ${why}`)),
    ),
  ];
}
