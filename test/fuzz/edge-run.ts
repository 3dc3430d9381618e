// Sends drawn requests through a real edge, many at once, and gathers what became of each, for the oracle. A batch ends when
// each that was answered has its row and its spans, so what comes later belongs to nobody and is a fault.
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { fromColumns } from '../../sidecar/audit/columns.ts';
import type { Columns } from '../../sidecar/audit/database.ts';
import { isRequest, type RequestRow, type StoredRow } from '../../sidecar/audit/row.ts';
import { startEdge, type Edge } from '../fixtures/edge.ts';
import { startTogether } from '../fixtures/together.ts';
import { until } from '../fixtures/until.ts';
import { FUZZ_OPTIONS, fuzzSite } from './edge-site.ts';
import { createHttp2, sendRaw, type Http2, type Sent } from './edge-wire.ts';
import { markOf, type Trial } from './request-grammar.ts';
import { faultsOf, type Fate, type Fault } from './request-oracle.ts';
import { startWireApp, type WireApp, type WireRequest } from './wire-app.ts';

export type Found = Fault & { readonly trial: Trial };

export type Batch = {
  readonly found: readonly Found[];
  /** How often each block has served each caller, as `docs: alice`. */
  readonly served: readonly string[];
  /** How often each status was answered. */
  readonly statuses: readonly number[];
};

export type FuzzEdge = {
  readonly edge: Edge;
  /** Sends all of them, and tells what is wrong. */
  readonly run: (trials: readonly Trial[]) => Promise<Batch>;
  stop(): Promise<void>;
};

const AT_ONCE = 12;
/** For the rows and spans of a batch; waited out only where one is missing. */
const WITHIN_MS = 30_000;
/** What people do, and the sidecar's start: nothing else may be an event here. */
const EVENTS = new Set([
  'sign-in',
  'sign-out',
  'session-revoked',
  'store-opened',
  'configuration-changed',
  'key-ring-changed',
]);

type Row = StoredRow & RequestRow;
type World = {
  readonly edge: Edge;
  readonly app: WireApp;
  readonly http2: Http2;
  readonly secrets: Readonly<Record<string, string>>;
  /** Rows up to here have been seen. */
  sequence: number;
  sent: number;
};

/** Starts the edge, with its people signed in. */
export function startFuzzEdge(): Promise<FuzzEdge> {
  return startTogether(async (started) => {
    const app = await startWireApp();
    started.endBy(() => app.stop());
    const edge = await startEdge(fuzzSite(app.address), { options: FUZZ_OPTIONS });
    started.endBy(() => edge.stop());
    const http2 = createHttp2(edge.port);
    started.endBy(() => http2.close());
    const [alice, carol, expired] = await signedIn(edge);
    const agent = await edge.provider.clientCredentialsToken();
    const secrets = { port: String(edge.port), alice, carol, expired, agent };
    const world: World = { edge, app, http2, secrets, sequence: 0, sent: 0 };
    await drained(world, new Set());
    return { edge, run: (trials) => runBatch(world, trials), stop: started.end };
  });
}

async function signedIn(edge: Edge): Promise<[string, string, string]> {
  const [alice, carol, bob] = [
    await edge.signIn('alice'),
    await edge.signIn('carol'),
    await edge.signIn('bob'),
  ];
  const out = await edge.send('/.signet/logout', [bob, 'Sec-Fetch-Site: same-origin']);
  await edge.row(out.requestId);
  const value = (line: string) => line.slice('Cookie: __Host-signet='.length);
  return [value(alice), value(carol), value(bob)];
}

async function runBatch(world: World, trials: readonly Trial[]): Promise<Batch> {
  world.app.seen.length = 0;
  world.edge.receiver.spans.length = 0;
  const marks = trials.map(() => markOf(world.sent++));
  const sent: Sent[] = [];
  const waiting = [...trials.entries()];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [at, trial] = next;
      sent[at] = await sendTrial(world, trial, marks[at] ?? '');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const last = await world.edge.send('/.signet/me');
  const answered = sent.flatMap(({ answers }) => answers.map(({ requestId }) => requestId));
  const ids = new Set([...answered, ...world.app.seen.map(idOf), last.requestId]);
  const { rows, events } = await drained(world, ids);
  const spans = await spansOf(world, rows);
  const { alice = '', carol = '' } = world.secrets;
  const fates = trials.map((trial, at): Fate => {
    const answeredIds = new Set(sent[at]?.answers.map(({ requestId }) => requestId));
    const own = world.app.seen.filter((one) => isOf(one, marks[at] ?? '', answeredIds));
    const mine = new Set([...answeredIds, ...own.map(idOf)]);
    return {
      ...(sent[at] ?? { answers: [], isCut: true }),
      ...{
        trial,
        mark: marks[at] ?? '',
        seen: own,
        spans,
        secrets: [alice, carol].map((one) => `__Host-signet=${one}`),
      },
      rows: new Map([...rows].filter(([id]) => mine.has(id))),
    };
  });
  const isCut = fates.some((fate) => fate.isCut);
  const strays = straysOf(
    { rows, events, isCut, seen: world.app.seen },
    new Set([...answered, last.requestId]),
    new Set(marks),
  );
  const found = fates.flatMap((fate) =>
    faultsOf(fate).map((fault) => ({ ...fault, trial: fate.trial })),
  );
  return {
    found: [...found, ...strays],
    served: servedOf(world.app.seen, rows),
    statuses: fates.flatMap(({ answers }) => answers.map(({ status }) => status)),
  };
}

const headerOf = ({ headers }: WireRequest, wanted: string) =>
  headers.find(([name]) => name === wanted)?.[1] ?? '';
const idOf = (one: WireRequest) => headerOf(one, 'x-request-id');
const markIn = (one: WireRequest) => headerOf(one, 'x-trial').slice(0, markOf(0).length);
/** By its mark, or, where that was lost when it was drawn, by its answer. */
const isOf = (one: WireRequest, mark: string, ids: ReadonlySet<string>) =>
  markIn(one) === mark || ids.has(idOf(one));

function sendTrial({ edge, http2, secrets }: World, { by, text }: Trial, mark: string) {
  const spelled = text.replaceAll(/<(\w+)>/g, (whole, name: string) =>
    name === 'trial' ? mark : (secrets[name] ?? whole),
  );
  if (by === 'h1') return sendRaw(edge.port, spelled);
  const [head = '', ...body] = spelled.split('\n\n');
  const fields = head.split('\n').map((line) => {
    const colon = line.indexOf(':', 1);
    return [line.slice(0, colon), line.slice(colon + 2)] as const;
  });
  return http2.send(fields, body.join('\n\n'));
}

/** Reads what was recorded since, until all of these are there. */
async function drained(world: World, ids: ReadonlySet<string>) {
  const rows = new Map<string, Row[]>();
  const events: StoredRow[] = [];
  const wanted = [...ids].filter((id) => /^[0-9a-f-]{36}$/.test(id) && !id.startsWith('00000000'));
  const areThere = () => {
    for (const row of rowsAfter(join(world.edge.folder, 'audit.db'), world.sequence)) {
      world.sequence = row.sequence;
      if (!isRequest(row)) events.push(row);
      else rows.set(row.requestId, [...(rows.get(row.requestId) ?? []), row]);
    }
    return wanted.every((id) => rows.has(id));
  };
  await until('the rows', areThere, WITHIN_MS).catch(() => undefined); // what lacks one is the oracle's to tell
  return { rows, events };
}

function rowsAfter(path: string, sequence: number): StoredRow[] {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  try {
    const sql = 'SELECT * FROM audit_rows WHERE sequence > ? ORDER BY sequence';
    return (database.prepare(sql).all(sequence) as Columns[]).map(fromColumns);
  } finally {
    database.close();
  }
}

/** By request id, from the ids of the spans: the first half of it is the edge's span, whatever trace that is of. */
async function spansOf({ edge }: World, rows: ReadonlyMap<string, readonly Row[]>) {
  const wanted = [...rows.values()].flat().filter(({ sampled }) => sampled);
  const edgeSpan = ({ requestId }: Row) => requestId.replaceAll('-', '').slice(0, 16);
  const areThere = () => {
    const there = new Set(edge.receiver.spans.map(({ spanId }) => spanId));
    return wanted.every((row) => there.has(edgeSpan(row)));
  };
  await until('the spans', areThere, WITHIN_MS).catch(() => undefined);
  const byId = Map.groupBy(edge.receiver.spans, ({ spanId }) => spanId);
  return new Map(wanted.map((row) => [row.requestId, byId.get(edgeSpan(row)) ?? []]));
}

type Left = {
  readonly rows: ReadonlyMap<string, readonly Row[]>;
  readonly events: readonly StoredRow[];
  readonly isCut: boolean;
  readonly seen: readonly WireRequest[];
};

/** What belongs to no request that was sent and answered. */
function straysOf(
  { rows, events, isCut, seen }: Left,
  ids: ReadonlySet<string>,
  marks: ReadonlySet<string>,
): Found[] {
  const trial: Trial = { by: 'h1', text: '' };
  const unasked = isCut
    ? []
    : [...rows.values()].flat().filter(({ requestId }) => !ids.has(requestId));
  const odd = events.filter(
    (row) => row.kind !== 'event' || !EVENTS.has('event' in row ? row.event : ''),
  );
  const calls = seen.filter((one) => !marks.has(markIn(one)) && !ids.has(idOf(one)));
  return [
    ...unasked.map((row) => ({ rule: 'a row has no answer', detail: JSON.stringify(row), trial })),
    ...odd.map((row) => ({
      rule: 'an event that nobody made',
      detail: JSON.stringify(row),
      trial,
    })),
    ...calls.map((one) => ({
      rule: 'the app is called for no trial',
      detail: JSON.stringify(one),
      trial,
    })),
  ];
}

const servedOf = (seen: readonly WireRequest[], rows: ReadonlyMap<string, readonly Row[]>) =>
  seen.map(
    (one) => `${headerOf(one, 'x-block')}: ${rows.get(idOf(one))?.[0]?.identity?.user ?? 'nobody'}`,
  );
