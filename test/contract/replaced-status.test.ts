// `replace_status` in a reverse_proxy, by a real Caddy and by what `signet check` and `signet explain` take it for: the
// client gets the app's answer, and what stands behind is not reached.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findCaddy } from '../../caddy/find.ts';
import { checkEdge } from '../../sidecar/check/check-edge.ts';
import { adaptFile } from '../../sidecar/edge/adapt.ts';
import { type Adapted, readAdapted } from '../../sidecar/edge/adapted.ts';
import { explainRequest } from '../../sidecar/explain/explain.ts';
import { freePort, globalOptions, startCaddy } from '../fixtures/caddy.ts';
import { startTogether } from '../fixtures/together.ts';

/** What is written → what comes, and who is said to answer. */
const CASES: readonly [string, string, number, string, string][] = [
  ['418', '/418', 418, 'app', 'proxy'],
  ['0', '/0', 200, 'app', 'proxy'],
  ['a text that is no number', '/word', 500, '', 'error'],
  ['a placeholder of a number', '/asked?status=403', 403, 'app', 'proxy'],
  ['a placeholder of nothing', '/asked', 500, '', 'error'],
  ['none, in a handle_response', '/none', 200, 'behind', 'response'],
];

const WRITTEN = [
  ['418', 'replace_status 418'],
  ['0', 'replace_status 0'],
  ['word', 'replace_status word'],
  ['asked', 'replace_status {query.status}'],
  ['none', 'handle_response {\n}'],
] as const;

let site: { readonly port: number; readonly adapted: Adapted; stop(): Promise<void> };
beforeAll(async () => {
  site = await startTogether(async (started) => {
    const [port, app] = [await freePort(), await freePort()];
    const caddyfile = textOf(port, app);
    const caddy = await startCaddy({ caddyfile });
    started.endBy(() => caddy.stop());
    return { port, adapted: await adaptedOf(caddyfile), stop: started.end };
  });
});
afterAll(() => site.stop());

function textOf(port: number, app: number): string {
  const routes = WRITTEN.map(
    ([name, does]) =>
      `route /${name} {\n\treverse_proxy 127.0.0.1:${app} {\n${does}\n}\n\trespond behind\n}`,
  );
  const sites = [
    `http://127.0.0.1:${port} {\n${routes.join('\n')}\n}`,
    `http://127.0.0.1:${app} {\n\trespond app\n}`,
  ];
  return [`{\n${globalOptions}\n}`, ...sites, ''].join('\n');
}

async function adaptedOf(caddyfile: string): Promise<Adapted> {
  const folder = await mkdtemp(join(tmpdir(), 'signet-status-'));
  const path = join(folder, 'Caddyfile');
  await writeFile(path, caddyfile);
  const { path: caddy } = await findCaddy({ env: process.env, say: () => {} });
  const read = await adaptFile({ path, caddy, env: process.env });
  await rm(folder, { recursive: true });
  const adapted = 'problem' in read ? read : readAdapted(read.json);
  if ('problem' in adapted) throw new Error(adapted.problem);
  return adapted;
}

describe('a status in place of the app’s', () => {
  test.each(CASES)('%s: so Caddy does it', async (_what, target, status, body) => {
    const answer = await fetch(`http://127.0.0.1:${site.port}${target}`);
    expect([answer.status, await answer.text()]).toEqual([status, body]);
  });

  test.each(CASES)('%s: so it is explained', (_what, target, _status, _body, by) => {
    const url = `http://127.0.0.1:${site.port}${target}`;
    const explained = explainRequest(site.adapted, {
      ...{ method: 'GET', url, found: { refused: 'no-credentials' } },
    });
    expect(explained).toMatchObject({ outcomes: [{ served: { by } }] });
  });

  test('only behind the one without is anything served', () => {
    const found = checkEdge(site.adapted, { caddy: undefined });
    const texts = found.filter(({ seen }) => seen.startsWith('respond'));
    expect(new Set(texts.map(({ where }) => where.path[0]))).toEqual(new Set(['/none', 'respond']));
  });
});
