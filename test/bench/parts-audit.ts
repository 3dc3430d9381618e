// What asking the record takes in a store of 10^5 rows; `npm run bench:audit -- 1000000 10000000` has
// the larger ones, and every question. Each question has a reader of its own, as a command has.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AUDIT_STORE_FILE, openAuditReader } from '../../sidecar/audit/open.ts';
import {
  cpuUs,
  figureOfValues,
  roundsOf,
  type PartFigure,
  type PartsOptions,
} from './parts-measure.ts';
import { filledStore, filling } from './parts-store.ts';
import { questionsOf, type BenchQuestion } from './questions.ts';

const ASKED = ['--user X, one day', '--by team, everything', 'the newest 1000', 'show by id'];

/** Returns the figures of some questions. */
export async function measureAudit(options: PartsOptions): Promise<PartFigure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'signet-parts-'));
  const path = join(folder, AUDIT_STORE_FILE);
  const count = filling(options.short);
  try {
    await (await filledStore(path, count)).close();
    const questions = await questionsOf(path, count);
    const asked = questions.filter(({ name }) => ASKED.includes(name));
    const figures = [];
    for (const question of asked) figures.push(await measureQuestion(path, question, options));
    return figures;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measureQuestion(
  path: string,
  { name, ask }: BenchQuestion,
  { short }: PartsOptions,
): Promise<PartFigure> {
  const { rounds } = roundsOf(short);
  const taken: number[] = [];
  let answered = 0;
  for (let round = 0; round <= rounds; round++) {
    const beforeUs = cpuUs();
    const reader = await openAuditReader({ path });
    answered = await ask(reader);
    await reader.close();
    taken.push((cpuUs() - beforeUs) / 1000);
  }
  const note = `${answered} answered, of ${filling(short)} rows`;
  return figureOfValues(`audit: ${name}`, taken.slice(1), 'ms CPU', note);
}
