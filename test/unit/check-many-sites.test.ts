// Configurations of hundreds of sites: checking them takes as much longer as they are more, and nothing is left out.
import { expect, test } from '@jest/globals';
import { checkEdge } from '../../sidecar/check/check-edge.ts';
import { type Adapted, readAdapted } from '../../sidecar/edge/adapted.ts';
import { explainRequest } from '../../sidecar/explain/explain.ts';
import { slowestOf } from '../fuzz/linear-time.ts';

type Json = Record<string, unknown>;

const DIALS = [{ dial: 'unix//run/signet/sidecar.sock' }];

function gate(name: string): Json {
  return {
    handler: 'reverse_proxy',
    rewrite: { method: 'GET', uri: `/verify?require=any&route=${name}` },
    upstreams: DIALS,
    handle_response: [
      { match: { status_code: [2], headers: { 'Signet-Stamp': ['*'] } }, routes: [] },
      { routes: [{ handle: [{ handler: 'copy_response' }] }] },
    ],
  };
}

function app(at: number): Json {
  return { handler: 'reverse_proxy', upstreams: [{ dial: `app${at}:3000` }] };
}

/** Each with its pages and two protected blocks, as `import signet` and `import protect` leave them. */
function siteAt(at: number, first: readonly Json[] = []): Json {
  const pages = { handler: 'reverse_proxy', upstreams: DIALS };
  const routes = [
    ...first,
    { match: [{ path: ['/.signet/*'] }], handle: [pages], terminal: true },
    { match: [{ path: ['/admin/*'] }], handle: [gate(`admin${at}`), app(at)], terminal: true },
    { handle: [gate(`app${at}`), app(at)] },
  ];
  const handle = [{ handler: 'subroute', routes }];
  return { match: [{ host: [`site${at}.example.com`] }], handle, terminal: true };
}

function sites(count: number, last: readonly Json[] = []): Adapted {
  const routes = Array.from({ length: count }, (_, at) => siteAt(at, at === count - 1 ? last : []));
  const server = { listen: [':443'], routes };
  const read = readAdapted(JSON.stringify({ apps: { http: { servers: { srv0: server } } } }));
  if ('problem' in read) throw new Error(read.problem);
  return read;
}

const context = { caddy: undefined };

test('ten times as many sites are checked in ten times the time', () => {
  const work = (text: string) => checkEdge(sites(text.length), context);
  const { ratio } = slowestOf((see) => see('checkEdge', work, 's'), 12);
  expect(ratio).toBeGreaterThan(0);
});

test('of 520 sites the last is checked like the first', () => {
  const elsewhere = { handler: 'static_response', status_code: 302, headers: { Location: ['/x'] } };
  const led = { match: [{ path: ['/.signet/*'] }], handle: [elsewhere], terminal: true };
  const found = checkEdge(sites(520, [led]), context).filter(
    ({ code }) => code === 'signet-unreachable',
  );
  expect(found.map(({ where }) => where.hosts)).toEqual([['site519.example.com']]);
});

test('of 520 sites the last is explained like the first', () => {
  const question = { method: 'GET', found: { refused: 'no-credentials' } } as const;
  const url = 'https://site519.example.com/';
  const explained = explainRequest(sites(520), { ...question, url });
  if ('problem' in explained) throw new Error(explained.problem);
  const { outcomes, isCut } = explained;
  expect(isCut).toBe(false);
  expect(outcomes.map(({ asked }) => asked.at(-1)?.gate.route)).toEqual(['app519']);
});

test('a site that is for more hosts, and one for any, are asked behind those that are not theirs', () => {
  const two = { ...siteAt(0), match: [{ host: ['A.test', 'b.test'] }] };
  const wide = { ...siteAt(1), match: [{ host: ['*.c.test'] }] };
  const { match: _, ...any } = siteAt(2);
  const server = { listen: [':443'], routes: [two, wide, any] };
  const read = readAdapted(JSON.stringify({ apps: { http: { servers: { srv0: server } } } }));
  if ('problem' in read) throw new Error(read.problem);
  const found = checkEdge(read, context).filter(({ code }) => code === 'signet-unreachable');
  expect(found).toEqual([]);
});
