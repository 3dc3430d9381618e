// What a check found, for people at a terminal: each kind of finding once, and below it where it is. Some of it is text
// of files that others wrote: nothing is printed before it is made visible. Pure.
import { styleText } from 'node:util';
import { visible } from '../visible.ts';
import type { Severity } from '../check/codes.ts';
import type { Finding } from '../check/finding.ts';
import { countsOf, exceptedText, placeOf, type Report, whereText } from '../check/report.ts';
import { countText, wrapped } from './status-words.ts';

export type Screen = {
  /** In characters. */
  readonly width: number;
  readonly colour: boolean;
};

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

const STYLES: Readonly<Record<Severity, Style>> = { error: ['bold', 'red'], warning: 'yellow' };
/** Of a kind's sentences, and of a place. */
const INDENT = 4;
/** Of what was seen at a place. */
const INNER_INDENT = 8;
/** Narrower than this no sentence can be read. */
const LEAST_WIDTH = 30;

/** Returns the report's lines, with their ends: by code, errors first, and what could not be looked at last. */
export function reportText(report: Report, screen: Screen): string {
  const paint: Paint = (style, text) =>
    screen.colour ? styleText(style, text, { validateStream: false }) : text;
  const kinds = Map.groupBy(inOrder(report), ({ code }) => code);
  const sorted = [...kinds.values()].toSorted((one, two) => rankOf(one) - rankOf(two));
  const lines = [
    ...sorted.flatMap((findings) => kindLines(findings, report, screen, paint)),
    ...[...report.warnings.map((text) => `Caddy: ${text}`), ...report.notLookedAt].flatMap((text) =>
      besides(text, screen, paint),
    ),
    ...lastLines(report, paint),
  ];
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

// Of what has no line it isn't known where it stands: before the others of its file.
function inOrder(report: Report): readonly Finding[] {
  return report.findings.toSorted((one, two) => {
    const [first, second] = [placeOf(one, report), placeOf(two, report)];
    if (first.file !== second.file) return first.file < second.file ? -1 : 1;
    return (first.line ?? 0) - (second.line ?? 0);
  });
}

function rankOf([first]: readonly Finding[]): number {
  return first?.severity === 'error' ? 0 : 1;
}

function kindLines(
  findings: readonly Finding[],
  report: Report,
  screen: Screen,
  paint: Paint,
): string[] {
  const [first] = findings;
  if (first === undefined) return [];
  const { severity, code, title, risk, mend } = first;
  return [
    `${paint(STYLES[severity], severity)} ${paint('bold', code)}: ${title}`,
    ...indented(risk, INDENT, screen),
    ...indented(`→ ${mend}`, INDENT, screen).map((line) => paint('green', line)),
    '',
    ...findings.flatMap((finding) => placeLines(finding, report, screen, paint)),
    '',
  ];
}

function placeLines(finding: Finding, report: Report, screen: Screen, paint: Paint): string[] {
  const { file, line } = placeOf(finding, report);
  const where = whereText(finding);
  const place = visible(line === undefined ? file : `${file}:${line}`);
  return [
    ' '.repeat(INDENT) + paint('bold', place),
    ...(where === '' ? [] : indented(where, INNER_INDENT, screen)).map((text) =>
      paint('dim', text),
    ),
    ...indented(finding.seen, INNER_INDENT, screen),
  ];
}

function indented(text: string, by: number, { width }: Screen): string[] {
  const room = Math.max(LEAST_WIDTH, width - by);
  return wrapped(visible(text), room).map((piece) => ' '.repeat(by) + piece);
}

function besides(text: string, { width }: Screen, paint: Paint): string[] {
  const lines = wrapped(visible(text), Math.max(LEAST_WIDTH, width));
  return [...lines.map((line) => paint('dim', line)), ''];
}

function lastLines(report: Report, paint: Paint): string[] {
  const excepted = exceptedText(report);
  return [...(excepted === undefined ? [] : [`${excepted}.`]), countLine(report, paint)];
}

function countLine(report: Report, paint: Paint): string {
  const by = report.caddy === undefined ? '' : ` (Caddy ${visible(report.caddy)})`;
  const { errors, warnings } = countsOf(report);
  const isOther = exceptedText(report) === undefined ? '' : ' else';
  if (errors + warnings === 0)
    return paint('green', `Nothing${isOther} found in ${visible(report.file)}${by}.`);
  const told = [
    ...(errors > 0 ? [paint(STYLES.error, countText(errors, 'error'))] : []),
    ...(warnings > 0 ? [paint(STYLES.warning, countText(warnings, 'warning'))] : []),
  ];
  const files = new Set(report.findings.map((finding) => placeOf(finding, report).file)).size;
  return `${told.join(' and ')} in ${countText(files, 'file')}${by}.`;
}
