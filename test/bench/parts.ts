// What each part of Signet takes by itself, in microseconds of CPU:
// `npm run bench:parts -- [--short] [--only NAME] [--json FILE]`. bench.ts prints it below its own table.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { measureAudit } from './parts-audit.ts';
import { measureGate, measureVerify } from './parts-gate.ts';
import type { PartFigure, PartsOptions } from './parts-measure.ts';
import { measureLines } from './parts-recorder.ts';
import { measureStart } from './parts-start.ts';
import { measureStore } from './parts-store.ts';
import { partsTable, shortNumber } from './parts-table.ts';
import { measureWhole } from './parts-whole.ts';
import { measureStamp, measureYardstick } from './parts-yardstick.ts';
import { exitUsage, optionsOrExit } from './usage.ts';

export type { PartFigure, PartsOptions } from './parts-measure.ts';
export { partsTable } from './parts-table.ts';

type Part = (options: PartsOptions) => Promise<readonly PartFigure[]>;

const PARTS: Readonly<Record<string, Part>> = {
  yardstick: async (options) => [await measureYardstick(options)],
  stamp: measureStamp,
  verify: measureVerify,
  gate: measureGate,
  lines: measureLines,
  store: measureStore,
  whole: measureWhole,
  audit: measureAudit,
  start: measureStart,
};

/** Returns the figures of all parts, or of those named. */
export async function measureParts(
  options: PartsOptions & { readonly only?: readonly string[] },
): Promise<readonly PartFigure[]> {
  const names = options.only ?? Object.keys(PARTS);
  const figures: PartFigure[] = [];
  for (const name of names) {
    options.onProgress(`parts: ${name}`);
    const measured = (await PARTS[name]?.(options)) ?? [];
    for (const { name, value, unit } of measured)
      options.onProgress(`${name}: ${shortNumber(value)} ${unit}`);
    figures.push(...measured);
  }
  return figures;
}

async function command(): Promise<void> {
  const help = `npm run bench:parts -- [--short] [--only NAME,…] [--json FILE]

What each part of Signet takes by itself, in µs of CPU: ${Object.keys(PARTS).join(', ')}.`;
  const values = optionsOrExit(
    {
      short: { type: 'boolean', default: false },
      only: { type: 'string' },
      json: { type: 'string' },
    },
    help,
  );
  const only = values.only?.split(',');
  const unknown = only?.filter((name) => !Object.hasOwn(PARTS, name)) ?? [];
  if (unknown.length > 0) {
    return exitUsage(`there is no ${unknown.join(', ')}`, help);
  }
  const onProgress = (text: string) => console.error(text);
  const figures = await measureParts({ short: values.short, onProgress, ...(only && { only }) });
  console.log(partsTable(figures));
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await command();
