// Both sides of a mark, route by route, as the store has them. Times are fetched of those routes only that
// have enough requests to be tested.
import type { AuditReader } from '../audit/reader.ts';
import type { Side } from './judge-route.ts';
import { countTraffic, timesOf, type Counted } from './traffic.ts';
import { isEnough, type Compared } from './verdict.ts';
import type { Windows } from './windows.ts';

/** Returns all routes that either side has, or those that are named. */
export async function compareTraffic(
  reader: AuditReader,
  { before, after }: Windows,
  minRequests: number,
  routes?: readonly string[],
): Promise<readonly Compared[]> {
  const was = await countTraffic(reader, before, routes);
  const is = await countTraffic(reader, after, routes);
  const names = new Set([...was, ...is].map(({ route }) => route));
  const compared: Compared[] = [];
  for (const route of names) {
    const counted = withoutTimes(route, sideOf(was, route), sideOf(is, route));
    compared.push(isEnough(counted, minRequests) ? await withTimes(counted) : counted);
  }
  return compared;

  async function withTimes(counted: Compared): Promise<Compared> {
    return {
      ...counted,
      before: { ...counted.before, times: await timesOf(reader, before, counted.before) },
      after: { ...counted.after, times: await timesOf(reader, after, counted.after) },
    };
  }
}

function withoutTimes(route: string | undefined, before: Side, after: Side): Compared {
  return { ...(route !== undefined && { route }), before, after };
}

function sideOf(counted: readonly Counted[], route: string | undefined): Side {
  const found = counted.find((each) => each.route === route);
  const none = {
    ...(route !== undefined && { route }),
    requests: 0,
    errors: 0,
    cut: 0,
    left: 0,
    timed: 0,
  };
  return { ...(found ?? none), times: new Float64Array() };
}
