// How a sidecar stands, on one screen for people or as one JSON object. All of it came over the wire:
// nothing is printed before it is made visible.
import { styleText } from 'node:util';
import { column, visible, visibleJson } from '../visible.ts';
import { wholeText } from '../report/format-volume.ts';
import { timeIn, type StatusAnswer, type StatusCheck } from './status-answer.ts';
import { phrasesOf, withStore } from './status-parts.ts';
import type { Traffic } from './status-traffic.ts';
import { countText, lengthText, wrapped, wrappedPhrases } from './status-words.ts';

/** What was found at an address. */
export type Found = {
  readonly address: string;
  readonly answer: StatusAnswer;
  /** Undefined where the metrics could not be had. */
  readonly traffic: Traffic | undefined;
};

export type Screen = {
  /** In characters. */
  readonly width: number;
  readonly colour: boolean;
  readonly nowMs: number;
};

type Paint = (style: Parameters<typeof styleText>[0], text: string) => string;

/** What an operator asks for first comes first; what is not named here follows, as it came. */
const ORDER = ['gate', 'sessions', 'provider', 'bearer', 'keys', 'configuration', 'journal'];
const ORDER_OF_EVIDENCE = ['recorder', 'decisions', 'store', 'retention'];
const NAME_WIDTH = 20;
const VERDICT_WIDTH = 7;
const INDENT = NAME_WIDTH + VERDICT_WIDTH + 4;
/** Of a problem; the log has all of it. */
const MOST_LINES = 60;
const MOST_INDENT = 8;
/** Narrower than this no sentence can be read. */
const LEAST_WIDTH = 30;

const STYLES = { ready: 'green', degraded: 'yellow', unready: 'red' } as const;

/** Returns the screen's lines, with their ends. */
export function statusText({ address, answer, traffic }: Found, screen: Screen): string {
  const paint: Paint = (style, text) =>
    screen.colour ? styleText(style, text, { validateStream: false }) : text;
  const checks = withStore(answer.checks);
  const lines = [
    ...headLines(address, answer, screen, paint),
    '',
    ...inOrder(checks).flatMap(([name, check]) => checkLines(name, check, screen, paint)),
    ...trafficLines(traffic, screen),
  ];
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

/** Returns it as one line of JSON: what `/readyz` said, and beside it where, and the traffic. */
export function statusJson({ address, answer, traffic }: Found): string {
  const told = { ...answer, address, traffic: traffic ? inMicroseconds(traffic) : null };
  return `${visibleJson(JSON.stringify(told))}\n`;
}

// What a histogram tells is not finer than that, and 0.06999999999999999 is nobody's measure.
function inMicroseconds(traffic: Traffic): Traffic {
  const { p95Seconds } = traffic;
  if (p95Seconds === undefined) return traffic;
  return { ...traffic, p95Seconds: Math.round(p95Seconds * 1e6) / 1e6 };
}

function headLines(
  address: string,
  answer: StatusAnswer,
  { nowMs }: Screen,
  paint: Paint,
): string[] {
  const { status, version, node } = answer;
  const startedAtMs = timeIn(answer, 'started_at');
  const name = version === undefined ? 'Signet' : `Signet ${visible(version)}`;
  const more = [
    ...(startedAtMs === undefined ? [] : [`up ${lengthText(nowMs - startedAtMs)}`]),
    ...(node === undefined ? [] : [`Node ${visible(node)}`]),
    `asked at ${visible(address)}`,
  ];
  return [
    `${name} is ${paint(['bold', STYLES[status]], status)}   ${paint('dim', more.join(', '))}`,
  ];
}

function inOrder(checks: Readonly<Record<string, StatusCheck>>): [string, StatusCheck][] {
  const names = [...ORDER, ...ORDER_OF_EVIDENCE];
  const rank = (name: string) => (names.includes(name) ? names.indexOf(name) : names.length);
  return Object.entries(checks).toSorted(([one], [two]) => rank(one) - rank(two));
}

function checkLines(name: string, check: StatusCheck, screen: Screen, paint: Paint): string[] {
  const verdict = check.ok
    ? paint('green', column('ok', VERDICT_WIDTH))
    : paint(['bold', 'red'], column('FAILS', VERDICT_WIDTH));
  // The name is whole, also where it is longer than its column: it is what one looks for.
  const shown = visible(name.replace(/^destination /, 'to '));
  const isLong = shown.length > NAME_WIDTH;
  const phrases = phrasesOf(name, check, screen.nowMs).map(visible);
  const [first = '', ...rest] = wrappedPhrases(phrases, widthOf(screen));
  return [
    ...(isLong ? [`  ${shown}`] : []),
    `  ${column(isLong ? '' : shown, NAME_WIDTH)} ${verdict} ${first}`,
    ...rest.map(indented),
    ...problemLines(check, screen).map((line) => indented(paint('red', line))),
  ];
}

// Mistakes of a configuration come in several lines, each with its own indentation.
function problemLines({ problem = '' }: StatusCheck, screen: Screen): string[] {
  const lines = problem.split('\n').filter((line) => line.trim() !== '');
  return lines.slice(0, MOST_LINES).flatMap((line) => {
    const indent = ' '.repeat(Math.min(line.search(/\S/), MOST_INDENT));
    const width = widthOf(screen) - indent.length;
    return wrapped(visible(line.trim()), width).map((piece) => indent + piece);
  });
}

function widthOf({ width }: Screen): number {
  return Math.max(LEAST_WIDTH, width - INDENT);
}

function indented(line: string): string {
  return ' '.repeat(INDENT) + line;
}

function trafficLines(traffic: Traffic | undefined, screen: Screen): string[] {
  const [first = '', ...rest] = wrapped(trafficText(traffic), widthOf(screen));
  const head = `  ${column('since the start', NAME_WIDTH)} ${column('', VERDICT_WIDTH)} `;
  return [head + first, ...rest.map(indented)];
}

function trafficText(traffic: Traffic | undefined): string {
  if (traffic === undefined) return 'traffic is not known: the recorder does not answer';
  const { requests, byDecision, p95Seconds } = traffic;
  const decisions = Object.entries(byDecision).map(
    ([decision, count]) => `${wholeText(count)} ${visible(decision)}`,
  );
  const p95 = p95Seconds === undefined ? [] : [`95 % within ${(p95Seconds * 1000).toFixed(0)} ms`];
  const told = [...decisions, ...p95].join(', ');
  return countText(requests, 'request') + (told === '' ? '' : `: ${told}`);
}
