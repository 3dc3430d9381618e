// `signet deliver --refused`: what a destination refused before is sent to it again, spans and log records.
import { isRequest, type StoredRow } from '../audit/row.ts';
import { sendAll, unitOf, type DeliverTask, type Load } from './deliver-send.ts';
import { cursorNames, type Destination } from '../otlp/destination.ts';
import { markResent, refusalsIn, refusedRows } from '../delivery/refused-rows.ts';
import type { Refusal } from '../delivery/refusals.ts';
import { print } from '../report/command-store.ts';
import { writing } from '../report/whereabouts.ts';

/** Sends to each destination what it refused, and takes off its list what it has taken now. */
export async function sendRefused(task: DeliverTask): Promise<void> {
  const { where, reader, chain, settings, isDryRun } = task;
  const works: Work[] = [];
  for (const destination of settings.destinations) {
    for (const name of cursorNames(destination)) {
      const refusals = await refusalsIn(reader, chain, name);
      const work = refusedLoad(task, { destination, name, refusals });
      if (isDryRun) await print(wouldBe(work.load, refusals));
      works.push(work);
    }
  }
  if (isDryRun) return;
  try {
    await sendAll(
      works.map(({ load }) => load),
      task,
    );
  } finally {
    await writing(where, chain, async (database) => {
      for (const { load, taken } of works) {
        await markResent(database, chain, load.name, taken);
      }
    });
  }
}

type Work = { readonly load: Load; readonly taken: Refusal[] };

type Refused = {
  readonly destination: Destination;
  /** Of the cursor. */
  readonly name: string;
  readonly refusals: readonly Refusal[];
};

function refusedLoad(task: DeliverTask, { destination, name, refusals }: Refused): Work {
  const { reader, chain, hasSpans } = task;
  const taken: Refusal[] = [];
  const bySequence = new Map(refusals.map((refusal) => [refusal.sequence, refusal]));
  const signal = name === destination.name ? 'traces' : 'logs';
  const isWanted = (row: StoredRow) => signal === 'logs' || (isRequest(row) && hasSpans(row));
  const load: Load = {
    destination,
    name,
    signal,
    batches: refusedRows(reader, chain, refusals, isWanted, (gone) => taken.push(...gone)),
    count: refusals.length,
    goOn: () => 'go on with --refused',
    onTaken: (rows) => {
      const found = rows.map(({ sequence }) => bySequence.get(sequence));
      taken.push(...found.filter((refusal) => refusal !== undefined));
    },
  };
  return { load, taken };
}

function wouldBe(load: Load, refusals: readonly Refusal[]): string {
  const last = refusals.at(-1);
  const why = last === undefined ? '' : ` The last was refused for: ${last.reason}`;
  return `${refusals.length} ${unitOf(load)} would be sent to ${load.name}.${why}\n`;
}
