// `signet check` against Caddyfiles as people write them: nothing is said of the right ones, and of each wrong one
// just what is wrong with it, on its line. Whole: a real Caddy adapts each.
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findCaddy } from '../../caddy/find.ts';
import { CODES } from '../../sidecar/check/codes.ts';
import type { Finding } from '../../sidecar/check/finding.ts';
import type { Report } from '../../sidecar/check/report.ts';
import { checkFile } from '../../sidecar/commands/check-file.ts';
import { parseCaddyVersion } from '../../sidecar/edge/version.ts';
import { parseApp } from '../../sidecar/setup/app.ts';
import { caddyfileText } from '../../sidecar/setup/caddy-text.ts';
import { parseHost } from '../../sidecar/setup/host.ts';
import { folderLayout, type Layout, systemLayout } from '../../sidecar/setup/layout.ts';
import type { Parsed } from '../../sidecar/setup/parsed.ts';
import { SNIPPETS } from '../fixtures/caddy.ts';
import { type Specimen, specimens } from '../fixtures/check-corpus.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), 'signet-check-'));
afterAll(() => rmSync(FOLDER, { recursive: true }));

const RIGHT = specimens('right');
const WRONG = specimens('wrong');

/** What is in this repository itself, with what its Caddyfile wants to be told. */
const OURS: readonly Specimen[] = [
  ourOwn('Caddyfile', { SIGNET_HOST: 'app.example.com', SIGNET_UPSTREAM: '127.0.0.1:3000' }),
  ourOwn('deploy/local/Caddyfile', {
    SIGNET_LOCAL_PORT: '8443',
    SIGNET_LOCAL_APP: '127.0.0.1:3000',
    SIGNET_LOCAL_STORAGE: '/nonexistent',
  }),
  beside('compose', readFileSync(`${ROOT}deploy/compose/Caddyfile`, 'utf8'), {
    SIGNET_HOST: 'app.example.com',
    SIGNET_UPSTREAM: 'app:3000',
  }),
  beside('what `signet init` writes for a machine', initText('app.example.com', systemLayout())),
  beside('what `signet init` writes to try it', initText('localhost:8443', folderLayout(FOLDER))),
];

function ourOwn(name: string, env: Readonly<Record<string, string>>): Specimen {
  const caddy = parseCaddyVersion('2.11.9');
  return { name, path: `${ROOT}${name}`, env, caddy, finds: [], marked: [], settings: {} };
}

/** A Caddyfile that wants the snippets beside it. */
function beside(name: string, text: string, env: Readonly<Record<string, string>> = {}): Specimen {
  const path = join(mkdtempSync(join(FOLDER, 'site-')), 'Caddyfile');
  writeFileSync(path, text);
  copyFileSync(SNIPPETS, join(path, '..', 'signet.caddy'));
  return { ...ourOwn(name, env), path };
}

function initText(host: string, layout: Parsed<Layout> | Layout): string {
  const place = 'problem' in layout ? undefined : 'value' in layout ? layout.value : layout;
  const [read, app] = [parseHost(host), parseApp('127.0.0.1:3000')];
  if (place === undefined || 'problem' in read || 'problem' in app) throw new Error('not parsed');
  return caddyfileText(read.value, app.value, place);
}

/** So many Caddys at once: more are no faster on two cores. */
const AT_ONCE = 3;
const reports = new Map<string, Report | { readonly problem: string }>();

beforeAll(async () => {
  const { path } = await findCaddy({ env: process.env, say: () => {} });
  const waiting = [...RIGHT, ...WRONG, ...OURS];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      reports.set(next.path, await checked(next, path));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}, 240_000);

function checked({ path, env, caddy, settings }: Specimen, program: string) {
  return checkFile({
    path,
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', ...env },
    envFiles: [],
    caddy: { path: program, version: caddy },
    settings,
  });
}

function findingsIn({ path }: Specimen): readonly Finding[] {
  const report = reports.get(path);
  if (report === undefined || 'problem' in report) throw new Error(report?.problem);
  return report.findings;
}

const told = ({ code, seen, source, where }: Finding) =>
  `${code} at ${source?.line ?? where.pointer}: ${seen}`;

const codesOf = (findings: readonly Finding[]) =>
  [...new Set(findings.map(({ code }) => code))].toSorted();

/** Of codes that have marks; each once, because a snippet's line may be found in several sites. */
function linesOf(findings: readonly Finding[], { marked }: Specimen): string[] {
  const codes = new Set<string>(marked.map(({ code }) => code));
  const lines = findings
    .filter(({ code }) => codes.has(code))
    .map(
      ({ code, source }) => `${code} ${source ? `${resolve(source.file)}:${source.line}` : '-'}`,
    );
  return [...new Set(lines)].toSorted();
}

test('the corpus has at least 25 right and 55 wrong configurations', () => {
  expect(RIGHT.length).toBeGreaterThanOrEqual(25);
  expect(WRONG.length).toBeGreaterThanOrEqual(55);
});

test('each code is to be found somewhere, and no specimen wants one that is none', () => {
  const wanted = new Set(WRONG.flatMap(({ finds }) => finds));
  expect([...wanted].toSorted()).toEqual(Object.keys(CODES).toSorted());
});

test('what a line is marked with is among what its file is to be found with', () => {
  const strays = [...RIGHT, ...WRONG].filter(({ finds, marked }) =>
    marked.some(({ code }) => !finds.includes(code)),
  );
  expect(strays.map(({ name }) => name)).toEqual([]);
});

describe('nothing is said of', () => {
  test.each([...RIGHT, ...OURS].map((specimen) => [specimen.name, specimen] as const))(
    '%s',
    (_name, specimen) => {
      expect(findingsIn(specimen).map(told)).toEqual([]);
    },
  );
});

describe('just what is wrong is found in', () => {
  test.each(WRONG.map((specimen) => [specimen.name, specimen] as const))(
    '%s',
    (_name, specimen) => {
      const findings = findingsIn(specimen);
      expect(codesOf(findings)).toEqual([...specimen.finds].toSorted());
      const wanted = specimen.marked.map(({ code, file, line }) => `${code} ${file}:${line}`);
      expect(linesOf(findings, specimen)).toEqual(wanted.toSorted());
    },
  );
});
