// What `signet config` prints: a table for people, JSON for programs, and beside them what is wrong. Values
// may be anybody's text: nothing that a terminal obeys gets out. Pure.
import { visible, visibleJson } from '../visible.ts';

/** What there is to tell. */
export type ToldConfig = {
  readonly file: { readonly path: string; readonly isThere: boolean };
  readonly settings: readonly ToldLine[];
  readonly warnings: readonly string[];
  readonly mistakes: readonly ToldMistake[];
  /** The mistakes as one text; undefined if there is none. */
  readonly problem?: string;
};

/** One setting. A secret has no value, nor has one that was refused. */
export type ToldLine = {
  readonly setting: string;
  readonly value?: string | number | boolean | readonly string[];
  readonly isSecret?: true;
  readonly isRefused?: true;
  readonly from: string;
};

export type ToldMistake = {
  readonly where: string;
  readonly read?: string;
  readonly allowed: string;
  readonly mend?: string;
};

/** Values that are longer don't push the last column away from all the others. */
const MAX_VALUE_WIDTH = 48;

/** Returns the table, with an empty line between sections of more than one line. */
export function tableOf({ file, settings }: ToldConfig): string {
  const sections = settings.map(({ setting }) => sectionOf(setting));
  const isAlone = (section: string) => sections.filter((other) => other === section).length === 1;
  const rows = settings.map((line, at) => ({
    section: isAlone(sections[at] ?? '') ? '' : sections[at],
    cells: cellsOf(line),
  }));
  const all: Cells[] = [['SETTING', 'VALUE', 'FROM'], ...rows.map(({ cells }) => cells)];
  const widths = [0, 1].map((at) => Math.max(...all.map((cells) => widthOf(cells[at] ?? '', at))));
  const lines = rows.flatMap(({ section, cells }, at) => {
    const before = rows[at - 1]?.section;
    return [...(before === undefined || before === section ? [] : ['']), lineOf(cells, widths)];
  });
  const head = visible(file.isThere ? `Read: ${file.path}` : `Not there: ${file.path}`);
  return [head, '', lineOf(['SETTING', 'VALUE', 'FROM'], widths), ...lines, ''].join('\n');
}

type Cells = readonly [string, string, string];

function cellsOf(line: ToldLine): Cells {
  return [visible(line.setting), visible(valueText(line)), visible(line.from)];
}

/** Returns one JSON object on a line. */
export function jsonOf({ file, settings, warnings, mistakes }: ToldConfig): string {
  const told = {
    file: { path: file.path, there: file.isThere },
    settings: settings.map(({ setting, value, isSecret, isRefused, from }) => ({
      setting,
      value: value ?? null,
      from,
      ...(isSecret && { secret: true }),
      ...(isRefused && { refused: true }),
    })),
    warnings,
    mistakes: mistakes.map(({ where, read, allowed, mend }) => ({ where, read, allowed, mend })),
  };
  return `${visibleJson(JSON.stringify(told))}\n`;
}

/** Returns what holds and may not be meant, and what is wrong; empty if neither. */
export function warningsOf({ warnings, problem }: ToldConfig): string {
  const said = warnings.map((warning) => `Warning: ${warning}.\n`);
  return visibleLines(
    [...said, ...(problem === undefined ? [] : [`signet: ${problem}\n`])].join(''),
  );
}

function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}

function valueText({ value, isSecret, isRefused }: ToldLine): string {
  if (isRefused) return 'refused: see below';
  if (isSecret) return 'set';
  if (typeof value !== 'object') return String(value);
  return value.length === 0 ? 'none' : value.join(', ');
}

/** A section of its own is each destination, and what stands alone in the file all together. */
function sectionOf(setting: string): string {
  const [first = '', second] = setting.split('.', 2);
  const name = first.replace(/\[\d+\]$/, '');
  if (name === 'destinations') return `${name} ${second}`;
  return second === undefined ? '' : name;
}

function widthOf(text: string, column: number): number {
  const { length } = Array.from(text);
  return column === 1 && length > MAX_VALUE_WIDTH ? 0 : length;
}

function lineOf([setting, value, from]: Cells, [first = 0, second = 0]: readonly number[]): string {
  return `${padded(setting, first)}  ${padded(value, second)}  ${from}`;
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - Array.from(text).length));
}
