// How far each destination has got, as the store knows it. Reads only; who moves a cursor is delivery.
import type { Queries } from './database.ts';

/** Returns the last sequence that each destination of a chain has acknowledged; one that is new is not in it. */
export async function cursorsOf(
  reader: Pick<Queries, 'all'>,
  chain: string,
): Promise<ReadonlyMap<string, number>> {
  const sql = 'SELECT destination, sequence FROM cursors WHERE chain = ?';
  const found = await reader.all(sql, [chain]);
  return new Map(found.map((each) => [String(each['destination']), Number(each['sequence'])]));
}
