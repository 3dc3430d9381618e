// `signet explain` held against a real Caddy: sites of many shapes, and requests spelled in many ways. What it says
// for certain is what answers; what it says may happen holds what answers.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { explainRequest, type Told } from '../../sidecar/explain/explain.ts';
import type { Served } from '../../sidecar/explain/way.ts';
import { SHAPES, spelled, type Shape } from '../fixtures/explain-shapes.ts';
import {
  expected,
  hostOf,
  startShapes,
  type Asking,
  type Seen,
  type ShapeSite,
} from '../fixtures/explain-site.ts';

let site: ShapeSite;
beforeAll(async () => {
  site = await startShapes();
});
afterAll(() => site.stop());

/** So many at once. */
const AT_ONCE = 8;

function askings({ paths, headers = [], methods = ['GET'] }: Shape, host: string): Asking[] {
  const sets = [[], ...headers.map((one) => [one]), headers];
  // Each spelling of every third path in turn, and every path as it is.
  const odd = paths.flatMap((path, at) =>
    spelled(path).filter((_, index) => index === 0 || (index + at) % 3 === 0),
  );
  const targets = [...new Set([...paths.slice(0, 2).flatMap(spelled), ...odd])];
  const plain = targets.map((target) => ({
    method: methods[0] ?? 'GET',
    target,
    host,
    headers: [],
  }));
  const varied = paths.flatMap((target) =>
    methods.flatMap((method) => sets.map((set) => ({ method, target, host, headers: set }))),
  );
  return [...plain, ...varied];
}

// Of a gate's refusal it matters which block's it is: the gate of these tests says so.
function servedBy({ served, asked }: Told): Served {
  if (served.by !== 'gate') return served;
  const body = `gate ${asked.at(-1)?.gate.route}`;
  return { by: 'response', status: String(served.status), body };
}

function told({ method, target, host, headers }: Asking): readonly Served[] {
  const explained = explainRequest(site.adapted, {
    method,
    url: `http://${host}:${site.port}${target}`,
    headers: [...headers, ['Connection', 'close']],
    from: '127.0.0.1',
    found: { refused: 'no-credentials' },
    caddy: site.caddy,
  });
  if ('problem' in explained) return [{ by: 'error', status: '400' }];
  expect(explained.isCut).toBe(false);
  return explained.outcomes.map(servedBy);
}

function isSeen(served: Served, method: string, seen: Seen | undefined): boolean {
  const wanted = expected(served);
  if (wanted === 'closed' || seen === undefined) return wanted === 'closed' && seen === undefined;
  // A refusal of Go's own server has words of its own.
  if (wanted.status === '400' && seen.status === '400') return true;
  const { status, location, body } = wanted;
  const hasBody = method !== 'HEAD' && status !== '204';
  return (
    (status === undefined || status === seen.status) &&
    (location === undefined || location === seen.location) &&
    (body === undefined || !hasBody || body === seen.body || areAlike(body, seen.body))
  );
}

// Of bytes that are no UTF-8 it says U+FFFD, where Caddy spells the byte.
function areAlike(told: string, seen: string): boolean {
  return told.replaceAll('%EF%BF%BD', '%FF') === seen.replaceAll('%EF%BF%BD', '%FF');
}

async function disagreements(all: readonly Asking[], mayBeUnknown: boolean): Promise<unknown[]> {
  const found: unknown[] = [];
  for (let at = 0; at < all.length; at += AT_ONCE) {
    const some = all.slice(at, at + AT_ONCE);
    const seen = await Promise.all(some.map((asking) => site.send(asking)));
    some.forEach((asking, index) => {
      const served = told(asking);
      const isRight = served.some((one) => isSeen(one, asking.method, seen[index]));
      const isDefinite = served.length === 1 || mayBeUnknown;
      if (!isRight || !isDefinite) found.push({ ...asking, served, seen: seen[index] });
    });
  }
  return found;
}

describe('what it says is what Caddy does', () => {
  test.each(SHAPES.map((shape, at) => ({ ...shape, at })))('with $name', async (shape) => {
    const all = askings(shape, hostOf(shape.at));
    expect(all.length).toBeGreaterThan(5);
    expect(await disagreements(all, shape.hasUnknown ?? false)).toEqual([]);
  });

  test('with a host in capitals, which is its site’s', async () => {
    const host = hostOf(SHAPES.findIndex(({ name }) => name.includes('`import signet` refuses')));
    const all = ['/pub/x', '/admin', '/pub/..%2fx'].map((target) => {
      return { method: 'GET', target, host: host.toUpperCase(), headers: [] };
    });
    const [served, refused, dots] = all.flatMap(told);
    expect(served).toMatchObject({ body: 'served /x of /x' });
    expect(refused).toMatchObject({ body: 'gate admin' });
    expect(dots).toMatchObject({ status: '400' });
    expect(await disagreements(all, false)).toEqual([]);
  });

  test.each([
    'a.wild.test',
    'A.WILD.test',
    'a.b.wild.test',
    'wild.test',
    'localhost',
    'unknown.test',
    's0.test.',
  ])('with the host %s', async (host) => {
    expect(
      await disagreements([{ method: 'GET', target: '/x', host, headers: [] }], false),
    ).toEqual([]);
  });
});
