// `signet deliver --refused`: what a destination refused before is sent to it again.
import { sendAll, type DeliverTask, type Load } from './deliver-send.ts';
import type { Destination } from '../otlp/destination.ts';
import { markResent, refusalsIn, refusedRows } from '../delivery/refused-rows.ts';
import type { Refusal } from '../delivery/refusals.ts';
import { print } from '../report/command-store.ts';
import { writing } from '../report/whereabouts.ts';

/** Sends to each destination what it refused, and takes off its list what it has taken now. */
export async function sendRefused(task: DeliverTask): Promise<void> {
  const { where, reader, chain, settings, isDryRun } = task;
  const works: Work[] = [];
  for (const destination of settings.destinations) {
    const refusals = await refusalsIn(reader, chain, destination.name);
    if (isDryRun) await print(wouldBe(destination, refusals));
    works.push(refusedLoad(task, destination, refusals));
  }
  if (isDryRun) return;
  try {
    await sendAll(
      works.map(({ load }) => load),
      settings,
    );
  } finally {
    await writing(where, chain, async (database) => {
      for (const { load, taken } of works) {
        await markResent(database, chain, load.destination.name, taken);
      }
    });
  }
}

type Work = { readonly load: Load; readonly taken: Refusal[] };

function refusedLoad(
  task: DeliverTask,
  destination: Destination,
  refusals: readonly Refusal[],
): Work {
  const { reader, chain, hasSpans } = task;
  const taken: Refusal[] = [];
  const bySequence = new Map(refusals.map((refusal) => [refusal.sequence, refusal]));
  const load: Load = {
    destination,
    batches: refusedRows(reader, chain, refusals, hasSpans, (gone) => taken.push(...gone)),
    count: refusals.length,
    goOn: () => 'go on with --refused',
    onTaken: (rows) => {
      const found = rows.map(({ sequence }) => bySequence.get(sequence));
      taken.push(...found.filter((refusal) => refusal !== undefined));
    },
  };
  return { load, taken };
}

function wouldBe({ name }: Destination, refusals: readonly Refusal[]): string {
  const last = refusals.at(-1);
  const why = last === undefined ? '' : ` The last was refused for: ${last.reason}`;
  return `${refusals.length} requests would be sent to ${name}.${why}\n`;
}
