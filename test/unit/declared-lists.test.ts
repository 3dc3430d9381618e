// What is stored and what leaves are declared lists. Here they are held against a real store, against
// spans on a real wire, and against the two tables in SECURITY.md.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { toColumns } from '../../sidecar/audit/columns.ts';
import type { RequestRow } from '../../sidecar/audit/row.ts';
import { PERSONAL_COLUMNS, ROW_COLUMNS } from '../../sidecar/audit/schema.ts';
import { openSqlite } from '../../sidecar/audit/sqlite.ts';
import { DETAIL_NAMES } from '../../sidecar/otlp/log-names.ts';
import { PROFILES } from '../../sidecar/otlp/profiles.ts';
import { stampedIdentity } from '../../sidecar/stamp.ts';
import {
  EXPORTED_ATTRIBUTES,
  EXPORTED_FIELDS,
  EXPORTED_RESOURCE,
  PERSONAL_ATTRIBUTES,
} from '../../sidecar/trace/exported.ts';
import { NAMES, SCOPE } from '../../sidecar/trace/names.ts';
import { REDACTED_PARAMETERS } from '../../sidecar/trace/redact.ts';
import { spansOf } from '../../sidecar/trace/spans.ts';
import { createSpansOf } from '../../sidecar/trace/worth.ts';
import { aDestination, sendSpans } from '../fixtures/destinations.ts';
import { identity } from '../fixtures/identities.ts';
import { startReceiver, type Receiver } from '../fixtures/receiver.ts';
import { aFullRow } from '../fixtures/rows.ts';

/** A row with all that a row can have, and `personal` in each value that is about a person. */
const EVERYTHING: RequestRow = {
  ...aFullRow(),
  method: 'PROPFIND',
  status: 503,
  requestBytes: 10,
  host: 'app.example.com:8443',
  path: '/personal-path',
  query: 'personal=query',
  clientAddress: 'personal-address',
  peerAddress: 'personal-peer',
  userAgent: 'personal-agent',
  requirement: 'user:personal',
  identity: {
    issuer: 'https://personal.example.com',
    subject: 'personal-subject',
    user: 'personal-user',
    team: 'personal-team',
    roles: ['personal-role'],
    type: 'agent',
    actor: { subject: 'personal-actor', issuer: 'https://personal.example.com' },
    method: 'session',
    sessionHash: 'personal-session',
  },
};

const placed = { ...EVERYTHING, sequence: 7, hash: 'ab'.repeat(32) };
/** With the one that is sent of what wasn't sampled. */
const spans = [...spansOf(placed), ...createSpansOf(0)({ ...placed, sampled: false })];

/** Names of the values in which a text stands, whatever they are made of. */
function namesWith(text: string, values: Readonly<Record<string, unknown>>): string[] {
  const names = Object.keys(values);
  return names.filter((name) => JSON.stringify(values[name])?.includes(text)).toSorted();
}

const sorted = (names: Iterable<string>) => [...names].toSorted();

let folder: string;
let receiver: Receiver;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signet-lists-'));
  receiver = await startReceiver();
});
afterAll(async () => {
  await receiver.stop();
  rmSync(folder, { recursive: true });
});

/** Returns the columns of a real store's tables; `chain`, which all of them have, only of `audit_rows`. */
async function storedColumns(): Promise<Map<string, string[]>> {
  const database = openSqlite(join(folder, 'audit.db'));
  const tables = await database.all("SELECT name FROM sqlite_schema WHERE type = 'table'");
  const columns = new Map<string, string[]>();
  for (const table of tables) {
    const name = String(table['name']);
    // `table_info` would leave out a column that is generated.
    const found = await database.all(`PRAGMA table_xinfo("${name}")`);
    const names = found.map((column) => String(column['name']));
    const isKept = (column: string) => name === 'audit_rows' || column !== 'chain';
    columns.set(name, names.filter(isKept));
  }
  await database.close();
  return columns;
}

describe('what is stored', () => {
  test('the columns of a row in a real store are the declared ones, and the name of the chain', async () => {
    const columns = await storedColumns();
    expect(sorted(columns.get('audit_rows') ?? [])).toEqual(sorted([...ROW_COLUMNS, 'chain']));
  });

  test('what is about a person is in the columns that are erased when the person is forgotten', () => {
    expect(namesWith('personal', toColumns(EVERYTHING))).toEqual(sorted(PERSONAL_COLUMNS));
  });
});

describe('what leaves', () => {
  test('spans have the declared attributes, and no others', () => {
    const names = spans.flatMap(({ attributes }) => Object.keys(attributes));
    // Of calls to a provider alone, see test/flow/sign-in-traced.test.ts.
    const all = new Set([...names, NAMES.urlTemplate]);
    expect(sorted(all)).toEqual(sorted(EXPORTED_ATTRIBUTES));
  });

  test('spans have the declared fields, and no others', () => {
    const names = new Set(spans.flatMap((span) => Object.keys(span)));
    expect(sorted(names)).toEqual(sorted([...Object.keys(EXPORTED_FIELDS), 'attributes']));
  });

  test('what is about a person is in the attributes that are declared so', () => {
    const names = new Set(spans.flatMap(({ attributes }) => namesWith('personal', attributes)));
    expect(sorted(names)).toEqual(sorted(PERSONAL_ATTRIBUTES));
    const others = spans.map((span) => ({ ...span, attributes: {} }));
    expect(JSON.stringify(others)).not.toContain('personal');
  });

  test('on the wire nothing is added to attributes and resource', async () => {
    const resource = Object.fromEntries(EXPORTED_RESOURCE.map((name) => [name, 'x']));
    await sendSpans(aDestination({ endpoint: receiver.endpoint }), resource, spans);
    const came = receiver.spans.map(({ attributes, resource: of, scope, links }) => ({
      ...{ attributes: sorted(Object.keys(attributes)), resource: sorted(Object.keys(of)), scope },
      links: links.flatMap((link) => Object.keys(link.attributes)),
    }));
    const sent = spans.map(({ attributes }) => ({
      ...{ attributes: sorted(Object.keys(attributes)), resource: sorted(EXPORTED_RESOURCE) },
      ...{ scope: SCOPE, links: [] },
    }));
    expect(came).toEqual(sent);
  });
});

describe('what is neither stored nor sent', () => {
  test('no name of it is among the columns and attributes', async () => {
    const columns = await storedColumns();
    const kept = [...(columns.get('audit_rows') ?? []), ...(columns.get('persons') ?? [])];
    const never = /(^|[._-])(e?mail|(display_|full_)?name|groups?|scopes?|tokens?|cookies?)$/;
    expect([...kept, ...EXPORTED_ATTRIBUTES].filter((name) => never.test(name))).toEqual([]);
  });

  test('e-mail, display name, groups and scopes of an identity are in no row and in no span', () => {
    const known = identity({
      name: 'never kept',
      email: 'never@kept.example',
      groups: ['never kept'],
      scopes: ['never:kept'],
    });
    const row = { ...EVERYTHING, identity: stampedIdentity(known) };
    const kept = JSON.stringify([toColumns(row), spansOf(row)]);
    expect(kept).toContain(known.user);
    expect(kept).not.toContain('never');
  });
});

describe('SECURITY.md', () => {
  const text = readFileSync(new URL('../../SECURITY.md', import.meta.url), 'utf8');

  /** Returns name → whether it is called personal, of the first table behind a heading. */
  function tableUnder(heading: string): Map<string, boolean> {
    const part = text.slice(text.indexOf(`\n${heading}\n`));
    const [table = ''] = /^\|.*\n\| *-[^]*?\n(?!\|)/m.exec(part) ?? [];
    const rows = table.split('\n').slice(2);
    const cells = rows.map((row) => row.split(/(?<!\\)\|/).map((cell) => cell.trim()));
    const named = cells.flatMap(([, names = '', , personal]) =>
      [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => [name, personal === 'yes'] as const),
    );
    expect(new Set(named.map(([name]) => name)).size).toBe(named.length);
    return new Map(named);
  }

  const personalOf = (table: ReadonlyMap<string, boolean>) =>
    sorted([...table].filter(([, isPersonal]) => isPersonal).map(([name]) => name));

  test('names every column of the store, and nothing else', async () => {
    const stored = [...(await storedColumns())].flatMap(([table, columns]) =>
      columns.map((column) => (table === 'audit_rows' ? column : `${table}.${column}`)),
    );
    expect(sorted(tableUnder('### What is stored').keys())).toEqual(sorted(stored));
  });

  test('calls those columns of a row personal that are erased when a person is forgotten', () => {
    const personal = personalOf(tableUnder('### What is stored'));
    expect(personal.filter((name) => !name.includes('.'))).toEqual(sorted(PERSONAL_COLUMNS));
  });

  test('names everything that leaves, and nothing else', () => {
    const headers = Object.values(PROFILES).flatMap(({ credential }) => credential?.header ?? []);
    const exported = [
      ...EXPORTED_ATTRIBUTES,
      ...Object.values(EXPORTED_FIELDS),
      ...EXPORTED_RESOURCE,
      ...['otel.scope.name', 'otel.scope.version', ...new Set(headers)],
    ];
    expect(sorted(tableUnder('### What leaves').keys())).toEqual(sorted(exported));
  });

  test('names the query parameters that are redacted', () => {
    const from = text.indexOf('### Query strings');
    const part = text.slice(from, text.indexOf('###', from + 3));
    const isNamed = (parameter: string) => part.includes(`\`${parameter}\``);
    expect(REDACTED_PARAMETERS.filter((parameter) => !isNamed(parameter))).toEqual([]);
  });

  test('names the details of events that are about a person', () => {
    const [, named = ''] =
      /`signet\.detail\.\*`, none of which is about a person but ([^)]*)\)/.exec(text) ?? [];
    const details = [...named.matchAll(/`([^`]+)`/g)].map(([, detail = '']) => detail);
    expect(details).toEqual(['note', 'by']);
    expect(details.filter((detail) => !DETAIL_NAMES.has(detail))).toEqual([]);
  });

  test('calls those attributes personal that are', () => {
    expect(personalOf(tableUnder('### What leaves'))).toEqual(sorted(PERSONAL_ATTRIBUTES));
  });
});
