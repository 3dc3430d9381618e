// Figures as a table in Markdown, to be pasted. Pure.
import type { PartFigure } from './parts-measure.ts';

/** Returns the figures as a table in Markdown. */
export function partsTable(figures: readonly PartFigure[]): string {
  const lines = figures.map(({ name, value, unit, spread, note }) => {
    const range = spread === undefined ? '' : spread.map(shortNumber).join(' to ');
    return `| ${name} | ${shortNumber(value)} | ${unit} | ${range} | ${note ?? ''} |`;
  });
  return ['| part | median | unit | rounds | |', '|---|--:|---|---|---|', ...lines].join('\n');
}

/** Returns a figure with as many digits as it can be trusted for. */
export function shortNumber(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}
