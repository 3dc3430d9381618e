// An explanation for people: what answers and why, to be read at a glance, and below it how the request got there.
import { styleText } from 'node:util';
import { column, visible } from '../visible.ts';
import type { Explained, Told } from './explain.ts';
import type { Asked } from './explain-json.ts';
import { decisionOf, isPast, servedWords, whyWords, type Decision } from './words.ts';

export type Screen = { readonly colour: boolean; readonly hasTrail: boolean };

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

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
  const several = outcomes.length > 1;
  const lines = [
    paint('bold', visible(`${method} ${url}`)) + visible(`  as ${by}`),
    ...(several
      ? ['', `It hangs on what only the running Caddy knows; ${outcomes.length} things may happen:`]
      : []),
    ...outcomes.flatMap((told, at) => [
      '',
      ...outcomeLines(told, several ? at + 1 : undefined, asked, screen, paint),
    ]),
    ...(isCut ? ['', 'There is more that may happen: not all of it was followed.'] : []),
  ];
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

function outcomeLines(
  told: Told,
  number: number | undefined,
  { locate }: Asked,
  { hasTrail }: Screen,
  paint: Paint,
): string[] {
  const { asked, open, served, when, behind } = told;
  const last = (asked.findLast(({ verdict }) => verdict.decision !== 'allow') ?? asked.at(-1))
    ?.verdict;
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
  const conditions = number === undefined ? [] : conditionLines(when, number);
  return [
    ...conditions,
    ...rows.flatMap(([name, text]) =>
      text === undefined ? [] : [`  ${column(name, NAME_WIDTH)} ${text}`],
    ),
    ...(hasTrail ? trailLines(told, paint) : []),
  ];
}

function decisionText(told: Told, paint: Paint): string {
  const decision = decisionOf(told);
  const last = (
    told.asked.findLast(({ verdict }) => verdict.decision !== 'allow') ?? told.asked.at(-1)
  )?.verdict;
  const style = isPast(told) ? 'red' : STYLES[decision];
  return `${paint(['bold', ...[style].flat()], decision)}${last ? `  ${last.reason}` : ''}`;
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

function trailLines({ trail }: Told, paint: Paint): string[] {
  if (trail.length === 0) return [];
  return [
    '',
    ...trail.map(({ did, what, why }) =>
      paint('dim', visible(`  ${column(did, VERB_WIDTH)} ${what}: ${why}`)),
    ),
  ];
}
