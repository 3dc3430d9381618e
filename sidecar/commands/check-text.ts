// What a check found, for people at a terminal. Some of it is text of files that others wrote: nothing is printed
// before it is made visible. Pure.
import { styleText } from 'node:util';
import { visible } from '../visible.ts';
import type { Severity } from '../check/codes.ts';
import type { Finding } from '../check/finding.ts';
import { countsOf, placeOf, type Report, whereText } from '../check/report.ts';
import { countText, wrapped } from './status-words.ts';

export type Screen = {
  /** In characters. */
  readonly width: number;
  readonly colour: boolean;
};

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

const STYLES: Readonly<Record<Severity, Style>> = { error: ['bold', 'red'], warning: 'yellow' };
const INDENT = 8;
/** Of a line's number. */
const NUMBER_WIDTH = 5;
/** Narrower than this no sentence can be read. */
const LEAST_WIDTH = 30;

/** Returns the report's lines, with their ends: by file, and what could not be looked at last. */
export function reportText(report: Report, screen: Screen): string {
  const paint: Paint = (style, text) =>
    screen.colour ? styleText(style, text, { validateStream: false }) : text;
  const files = Map.groupBy(report.findings, (finding) => placeOf(finding, report).file);
  const lines = [
    ...[...files].flatMap(([file, findings]) => [
      paint('bold', visible(file)),
      ...findings.flatMap((finding) => findingLines(finding, report, screen, paint)),
    ]),
    ...[...report.warnings.map((text) => `Caddy: ${text}`), ...report.notLookedAt].flatMap((text) =>
      besides(text, screen, paint),
    ),
    lastLine(report, files.size, paint),
  ];
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

function findingLines(finding: Finding, report: Report, screen: Screen, paint: Paint): string[] {
  const { severity, code, title, seen, risk, mend } = finding;
  const { line } = placeOf(finding, report);
  const number = (line === undefined ? '-' : String(line)).padStart(NUMBER_WIDTH);
  const where = whereText(finding);
  const isWhere = where !== '';
  const indented = (text: string, style?: Style) =>
    wrapped(visible(text), roomIn(screen)).map(
      (piece) => ' '.repeat(INDENT) + (style === undefined ? piece : paint(style, piece)),
    );
  const head = `${paint(STYLES[severity], severity)} ${paint('bold', code)}: ${title}`;
  return [
    `${number}   ${head}`,
    ...(isWhere ? indented(where, 'dim') : []),
    ...indented(seen),
    ...indented(risk),
    ...indented(`→ ${mend}`, 'green'),
    '',
  ];
}

function roomIn({ width }: Screen): number {
  return Math.max(LEAST_WIDTH, width - INDENT);
}

function besides(text: string, { width }: Screen, paint: Paint): string[] {
  const lines = wrapped(visible(text), Math.max(LEAST_WIDTH, width));
  return [...lines.map((line) => paint('dim', line)), ''];
}

function lastLine(report: Report, files: number, paint: Paint): string {
  const by = report.caddy === undefined ? '' : ` (Caddy ${visible(report.caddy)})`;
  const { errors, warnings } = countsOf(report);
  if (errors + warnings === 0)
    return paint('green', `Nothing found in ${visible(report.file)}${by}.`);
  const told = [
    ...(errors > 0 ? [paint(STYLES.error, countText(errors, 'error'))] : []),
    ...(warnings > 0 ? [paint(STYLES.warning, countText(warnings, 'warning'))] : []),
  ];
  return `${told.join(' and ')} in ${countText(files, 'file')}${by}.`;
}
