// What stands in a store for all that was erased or removed of a chain: whoever holds rows in memory
// compares it, and reads them anew when it is another. It is of any process that forgets or removes.
import type { Queries } from './database.ts';
import { PERSONS_ERASED } from './persons.ts';

const MARK =
  'SELECT (SELECT value FROM notes WHERE chain = ? AND name = ?) AS erased, ' +
  '(SELECT sequence FROM stubs WHERE chain = ?) AS removed';

/** Returns the mark: another one whenever rows were erased or removed, by whichever process. */
export async function markOf(queries: Pick<Queries, 'all'>, chain: string): Promise<string> {
  const [found] = await queries.all(MARK, [chain, PERSONS_ERASED, chain]);
  return JSON.stringify([found?.['erased'], found?.['removed']]);
}
