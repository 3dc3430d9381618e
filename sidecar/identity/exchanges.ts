// Codes that are exchanged at one provider: a bounded number at once, since anybody may begin a sign-in and come back with a
// code that he made up. Who finds no place is told to try again, and nothing of his sign-in is spent by it.
import { Fault } from '../fault.ts';
import { createFewAtOnce } from './few-at-once.ts';

/** At 300 ms for an exchange that is 200 sign-ins a second; each holds a connection to the provider for 5 s at most. */
export const MAX_EXCHANGES = 64;
/** Wait for one of these places; who comes then is refused. */
export const MAX_EXCHANGES_WAITING = 192;
/** Of both together from one client: one alone leaves places to the others, and an office behind one address has enough. */
export const MAX_EXCHANGES_BY_ADDRESS = 48;

export type Exchanges = {
  /** Throws Fault ERR_PROVIDER where there is no place; without a client, only the whole counts. */
  mustHaveRoom(client: string | undefined): void;
  /** Returns what the exchange does, as soon as it has its place. */
  run<T>(client: string | undefined, exchange: () => Promise<T>): Promise<T>;
};

/** Returns the places at the provider of this issuer. */
export function createExchanges(issuer: string): Exchanges {
  const byClient = new Map<string, number>();
  const fewAtOnce = createFewAtOnce(MAX_EXCHANGES);
  /** Under way and waiting. */
  let all = 0;

  function mustHaveRoom(client: string | undefined): void {
    const isFull = all >= MAX_EXCHANGES + MAX_EXCHANGES_WAITING;
    const hasAll = client !== undefined && (byClient.get(client) ?? 0) >= MAX_EXCHANGES_BY_ADDRESS;
    if (!isFull && !hasAll) return;
    const whose = hasAll ? 'of one client ' : '';
    throw new Fault('ERR_PROVIDER', `too many codes ${whose}are being exchanged at ${issuer}`);
  }

  async function run<T>(client: string | undefined, exchange: () => Promise<T>): Promise<T> {
    all++;
    count(client, 1);
    try {
      return await fewAtOnce(exchange);
    } finally {
      all--;
      count(client, -1);
    }
  }

  function count(client: string | undefined, change: 1 | -1): void {
    if (client === undefined) return;
    const left = (byClient.get(client) ?? 0) + change;
    if (left === 0) byClient.delete(client);
    else byClient.set(client, left);
  }

  return { mustHaveRoom, run };
}
