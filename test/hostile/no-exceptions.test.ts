// Cases 14 and 15 of the hostile list: a block whose requirement is not understood is closed to everybody, and
// a protected one has no exceptions: no health path, no probe, no method, no file that is nearly always public.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findCaddy } from '../../caddy/find.ts';
import { checkFile } from '../../sidecar/commands/check-file.ts';
import { startEdge, type Edge } from '../fixtures/edge.ts';
import { fatesOf, namedOf, proxied, type Trial } from '../fixtures/hostile.ts';

/** As they stand in a Caddyfile, behind `protect NAME`. */
const INVALID = [
  '""',
  'Public',
  'PUBLIC',
  'public,any',
  'public+any',
  'any+public',
  'public+team:payments',
  'any+any',
  'any,team:payments',
  'Any',
  '*',
  'all',
  'none',
  'anonymous',
  'user',
  'user:',
  'team:',
  'team:payments,',
  'team:,payments',
  'team:payments,,search',
  'team:payments,role:x',
  'team:payments+',
  '+team:payments',
  'team:payments++role:x',
  'Team:payments',
  'team=payments',
  'team:*',
  'team:pay%zzments',
  'team:%ff',
  'group:wheel',
  'email:alice@example.com',
  'type:person',
  'type:human,admin',
  'actors:',
  'actors:-1',
  'actors:5',
  'actors:0+actors:0',
  'preflight',
  'preflight+preflight',
  'any+preflight+preflight',
  'public+preflight',
  'any&require=public',
  '"team:x&require=public"',
  'any?public',
  'any%2Bpublic',
  '!team:payments',
  'any;public',
  '"any\\npublic"',
  '__proto__',
  'constructor:x',
  '__proto__:x',
];

/** What a request's first line can't hold: the sidecar's HTTP server reads none of it, and there is no stamp. */
const UNREADABLE = [
  '" any"',
  '"team: payments"',
  '"team:payments or any"',
  'team:zahlungsverkehr-ä',
];

/** Caddy ends its question at the first `#`: with `route` behind it, what is left is no question of ours. */
const CUT = ['any#public', 'any#+role:auditor', '"role:auditor#x"'];

const SITE = [
  ...CUT.map(
    (requirement, at) =>
      `handle /cut/${at}/* {\n\t\timport protect cut-${at} ${requirement} {\n\t\t\t${proxied('cut')}\n\t\t}\n\t}`,
  ),
  ...[...INVALID, ...UNREADABLE].map(
    (requirement, at) =>
      `handle /bad/${at}/* {\n\t\timport protect bad-${at} ${requirement} {\n\t\t\t${proxied('bad')}\n\t\t}\n\t}`,
  ),
  `handle {\n\t\timport protect orders any {\n\t\t\t${proxied('orders')}\n\t\t}\n\t}`,
].join('\n\t');

let edge: Edge;
let alice: string;
let agent: string;
beforeAll(async () => {
  edge = await startEdge(SITE);
  alice = await edge.signIn('alice');
  agent = `Authorization: Bearer ${await edge.provider.clientCredentialsToken()}`;
});
afterAll(async () => edge?.stop());

test('case 14: a requirement that does not parse, is empty, or names an unknown kind lets nobody in, and says requirement-invalid', async () => {
  const preflight = ['Origin: https://x.example', 'Access-Control-Request-Method: PUT'];
  const trials = INVALID.flatMap((_, at) => [
    { target: `/bad/${at}/x` },
    { target: `/bad/${at}/x`, lines: [alice] },
    { target: `/bad/${at}/x`, lines: [alice, 'Sec-Fetch-Mode: navigate'] },
    { target: `/bad/${at}/x`, lines: ['Sec-Fetch-Mode: navigate'] },
    { target: `/bad/${at}/x`, lines: [agent] },
    { target: `/bad/${at}/x`, lines: preflight, method: 'OPTIONS' },
  ]);
  for (const { target, lines, reply, row, seen, spans } of await fatesOf(edge, trials)) {
    const requirement = INVALID[Number(target.split('/')[2])];
    const found = { requirement, lines, status: reply.status, called: seen.length };
    expect({ ...found, decision: row?.decision, reason: row?.reason }).toEqual({
      ...{ ...found, status: 403, called: 0, decision: 'deny', reason: 'requirement-invalid' },
    });
    const said = spans.map(({ attributes }) => attributes['signet.reason']);
    expect(said).toContain('requirement-invalid');
  }
  // Once for each block, loud, whoever asked how often.
  const told = edge
    .sidecar()
    .printed()
    .split('\n')
    .filter((line) => line.includes('"bad-'));
  expect(new Set(told).size).toBe(INVALID.length);
});

test('case 14: a requirement that no request can ask for lets nobody in either', async () => {
  const trials = UNREADABLE.flatMap((_, at) =>
    [[], [alice], [agent]].map((lines) => ({ target: `/bad/${INVALID.length + at}/x`, lines })),
  );
  for (const { target, reply, row, seen } of await fatesOf(edge, trials)) {
    const requirement = UNREADABLE[Number(target.split('/')[2]) - INVALID.length];
    expect({ requirement, status: reply.status, called: seen.length }).toEqual({
      ...{ requirement, status: 502, called: 0 },
    });
    expect(row).toMatchObject({ decision: 'none', reason: 'gate-unavailable' });
  }
});

test('case 14: what stands behind a # never comes to the gate, and signet check says so', async () => {
  const trials = CUT.flatMap((_, at) => [
    { target: `/cut/${at}/x` },
    { target: `/cut/${at}/x`, lines: [alice] },
  ]);
  for (const { target, lines, reply, row, seen } of await fatesOf(edge, trials)) {
    const found = { target, lines, status: reply.status, called: seen.length };
    expect({ ...found, decision: row?.decision, reason: row?.reason }).toEqual({
      ...{ target, lines, status: 400, called: 0, decision: 'none', reason: 'gate-refused' },
    });
  }
  const { path } = await findCaddy({ env: process.env, say: () => {} });
  const report = await checkFile({
    path: join(edge.caddy().folder, 'Caddyfile'),
    env: { ...process.env, ...edge.caddyEnv },
    envFiles: [],
    caddy: { path, version: undefined },
    settings: undefined,
  });
  const findings = 'findings' in report ? report.findings : [];
  const told = findings.filter(({ code }) => code === 'requirement-invalid');
  for (const requirement of CUT) {
    expect(told.map(({ seen }) => seen)).toContainEqual(
      expect.stringContaining(requirement.replaceAll('"', '')),
    );
  }
});

const PATHS = [
  ...[
    '/health',
    '/healthz',
    '/healthcheck',
    '/health/live',
    '/ping',
    '/ready',
    '/readyz',
    '/livez',
  ],
  ...[
    '/status',
    '/metrics',
    '/robots.txt',
    '/favicon.ico',
    '/.well-known/x',
    '/.well-known/acme-challenge/x',
  ],
  ...[
    '/oauth2/auth',
    '/oauth2/callback',
    '/_oauth',
    '/outpost.goauthentik.io/auth',
    '/verify',
    '/login',
    '/static/x.css',
    '/manifest.json',
    '/sw.js',
  ],
];
const PROBES = [
  ...[
    'GoogleHC/1.0',
    'kube-probe/1.33',
    'ELB-HealthChecker/2.0',
    'Amazon-Route53-Health-Check-Service',
  ],
  ...[
    'Envoy/HC',
    'HAProxy',
    'Prometheus/3.0',
    'Consul Health Check',
    'UptimeRobot/2.0',
    'Edge Health Probe',
  ],
];
const METHODS = [
  'HEAD',
  'OPTIONS',
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'TRACE',
  'PROPFIND',
  'PURGE',
  'get',
];

test('case 15, CVE-2026-34457: neither a health path nor a probe’s User-Agent, nor a method, opens a protected block', async () => {
  const preflight = ['Origin: https://x.example', 'Access-Control-Request-Method: PUT'];
  const trials: Trial[] = [
    ...PATHS.flatMap((target) => [{ target }, { target, lines: [`User-Agent: ${PROBES[0]}`] }]),
    ...PROBES.map((probe) => ({ target: '/health', lines: [`User-Agent: ${probe}`] })),
    ...METHODS.flatMap((method) => [
      { target: '/orders', method },
      { target: '/health', method, lines: [`User-Agent: ${PROBES[0]}`] },
    ]),
    { target: '/orders', method: 'OPTIONS', lines: preflight },
    { target: '/orders', lines: ['Connection: Upgrade', 'Upgrade: websocket'] },
    { target: '/orders', lines: ['X-Requested-With: XMLHttpRequest', 'Purpose: prefetch'] },
    { target: '/orders', lines: ['Range: bytes=0-0', 'If-None-Match: *'] },
  ];
  // A HEAD's answer has no end of its own.
  const ending = trials.map(({ lines = [], ...one }) => ({
    ...{
      ...one,
      lines: [...lines, ...(lines.join().includes('Upgrade') ? [] : ['Connection: close'])],
    },
  }));
  for (const fate of await fatesOf(edge, ending)) {
    const { target, method, lines, reply, seen, row } = fate;
    expect({ target, method, lines, status: reply.status, called: seen.length }).toEqual({
      ...{ target, method, lines, status: 401, called: 0 },
    });
    expect(row).toMatchObject({ decision: 'deny', reason: 'no-credentials', route: 'orders' });
    expect(namedOf(fate)).toEqual([undefined]);
  }
});
