// What an examination found, a line each for people or one JSON object. Some of it came over the wire: nothing is
// printed before it is made visible. Pure.
import { styleText } from 'node:util';
import { column, visible, visibleJson } from '../visible.ts';
import type { Line, Verdict } from '../doctor/line.ts';
import { countText, wrapped } from './status-words.ts';

type Style = Parameters<typeof styleText>[0];

const VERDICTS: Readonly<Record<Verdict, readonly [word: string, style: Style]>> = {
  well: ['well', 'green'],
  warning: ['warning', 'yellow'],
  wrong: ['WRONG', ['bold', 'red']],
  'not-looked-at': ['not looked at', 'dim'],
};

const NAME_WIDTH = 20;
const VERDICT_WIDTH = 13;
const INDENT = NAME_WIDTH + VERDICT_WIDTH + 4;
/** Narrower than this no sentence can be read. */
const LEAST_WIDTH = 30;

export type Screen = {
  /** In characters. */
  readonly width: number;
  readonly colour: boolean;
};

/** Returns a finding as lines of a terminal, with their ends; the mend stands below. */
export function lineText({ name, verdict, seen, mend }: Line, { width, colour }: Screen): string {
  const [word, style] = VERDICTS[verdict];
  const paint = (text: string) =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  // The name is whole, also where it is longer than its column: it is what one looks for.
  const shown = visible(name);
  const isLong = Array.from(shown).length > NAME_WIDTH;
  const room = Math.max(LEAST_WIDTH, width - INDENT);
  const [first = '', ...rest] = [
    ...wrapped(visible(seen), room),
    ...(mend === undefined ? [] : wrapped(`→ ${visible(mend)}`, room)),
  ];
  const lines = [
    ...(isLong ? [`  ${shown}`] : []),
    `  ${column(isLong ? '' : shown, NAME_WIDTH)} ${paint(column(word, VERDICT_WIDTH))} ${first}`,
    ...rest.map((line) => ' '.repeat(INDENT) + line),
  ];
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

/** Returns the last line: how many of each. */
export function summaryText(lines: readonly Line[]): string {
  const count = (verdict: Verdict) => lines.filter((line) => line.verdict === verdict).length;
  const parts = [
    `${count('well')} well`,
    countText(count('warning'), 'warning'),
    `${count('wrong')} wrong`,
    `${count('not-looked-at')} not looked at`,
  ];
  return `\n${parts.join(', ')}.\n`;
}

/** Returns all of it as one line of JSON. */
export function doctorJson(url: string, version: string, lines: readonly Line[]): string {
  const ok = lines.every(({ verdict }) => verdict !== 'wrong');
  return `${visibleJson(JSON.stringify({ url, version, ok, lines }))}\n`;
}
