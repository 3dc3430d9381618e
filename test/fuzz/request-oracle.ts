// What must hold of a request, whatever it was: judged by what the client was answered, the app was sent, the record and the
// spans say, and by `edge-site.ts`, which says who may be where. Nothing of the code under judgement is asked.
import { posix } from 'node:path';
import type { SpanLine } from '../../deploy/local/span-line.ts';
import type { RequestRow, StoredRow } from '../../sidecar/audit/row.ts';
import { CLOSED, FUZZ_BLOCKS, TOLD, type Block, type Caller } from './edge-site.ts';
import type { Sent } from './edge-wire.ts';
import type { Trial } from './request-grammar.ts';
import type { WireRequest } from './wire-app.ts';

export type Fate = Sent & {
  readonly trial: Trial;
  /** Its own mark, by which the app's requests are known as its. */
  readonly mark: string;
  readonly seen: readonly WireRequest[];
  /** By request id: of what was answered, and of what the app saw. */
  readonly rows: ReadonlyMap<string, readonly (StoredRow & RequestRow)[]>;
  readonly spans: ReadonlyMap<string, readonly SpanLine[]>;
  /** What must not be at an app: the sessions' cookies. */
  readonly secrets: readonly string[];
};

/** `rule` is short and the same for the same kind of fault. */
export type Fault = { readonly rule: string; readonly detail: string };

const valuesOf = ({ headers }: WireRequest, wanted: string) =>
  headers.filter(([name]) => name === wanted).map(([, value]) => value);

const sameAs = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** Whom a text may be from: one, where it says so in just the way that counts, or else also nobody. */
export function callersOf({ by, text }: Trial): readonly Caller[] {
  const head = by === 'h2' ? text : text.slice(0, text.indexOf('\r\n\r\n'));
  const claimed = (['alice', 'carol'] as const).filter((name) => head.includes(`<${name}>`));
  const tokens = head.includes('<agent>') ? (['deploy-agent'] as const) : [];
  const lines = head
    .split(/\r?\n/)
    .filter((line) => /<(alice|carol|agent)>|^(cookie|authorization)/i.test(line));
  const [line = ''] = lines;
  const isPlain =
    /^[Cc]ookie: __Host-signet=<(?:alice|carol)>$|^[Aa]uthorization: Bearer <agent>$/.test(line);
  return isPlain && lines.length === 1
    ? [...claimed, ...tokens]
    : ['nobody', ...claimed, ...tokens];
}

/** Returns what is wrong with what became of one request; nothing, if all is right. */
export function faultsOf(fate: Fate): Fault[] {
  return [...fate.seen.flatMap((one) => faultsAtApp(fate, one)), ...faultsOfAnswers(fate)];
}

function faultsAtApp(fate: Fate, one: WireRequest): Fault[] {
  const [id = ''] = valuesOf(one, 'x-request-id');
  const rows = fate.rows.get(id) ?? [];
  const [row] = rows;
  const block = FUZZ_BLOCKS.find(({ name }) => sameAs(valuesOf(one, 'x-block'), [name]));
  const said = `${one.method} ${one.target} ${JSON.stringify(one.headers)}`;
  if (block === undefined) return [{ rule: 'the app is called by no block', detail: said }];
  if (row === undefined || rows.length > 1 || valuesOf(one, 'x-request-id').length !== 1) {
    return [{ rule: `the app is called without its one row (${rows.length})`, detail: said }];
  }
  const isSmuggled = valuesOf(one, 'x-trial').some((mark) => mark.endsWith('.smuggled'));
  const callers = isSmuggled ? (['nobody'] as const) : callersOf(fate.trial);
  const sender = callers.find((each) => each === (row.identity?.user ?? 'nobody'));
  // A preflight is let in whoever sends it, and the app is told of nobody.
  const caller = row.reason === 'preflight' ? 'nobody' : sender;
  const told = toldIn(one);
  const broken: readonly (readonly [string, boolean])[] = [
    [`the row of ${block.name} has another route`, row.route !== routeOf(block)],
    [`${block.name} served without a decision`, !isDecided(block, row)],
    ['the row names somebody who has not sent it', block.isProtected && sender === undefined],
    [`${block.name} served whom it may not serve`, !mayEnter(block, caller, one, row)],
    [`the app of ${block.name} is told of somebody else`, !isTold(block, caller, told)],
    [
      'a client’s forwarding header is at the app',
      /^x.forwarded.(uri|method)$/m.test(namesOf(one)),
    ],
    ['the session’s cookie is at the app', block.name !== 'open' && holds(one, fate.secrets)],
    ['baggage tells of somebody else', block.isProtected && !isBaggageOf(caller, one)],
    ['the trace is not the row’s', block.isProtected && !isTraceOf(row, one)],
    ['the span names somebody else', !isSpanOf(row, fate.spans.get(id))],
    [`what ${block.name} serves is a closed place to the app`, isClosed(block, caller, one)],
  ];
  return broken.flatMap(([rule, isSo]) => (isSo ? [{ rule, detail: said }] : []));
}

const namesOf = ({ headers }: WireRequest) => headers.map(([name]) => name).join('\n');
/** As cookies are read (RFC 6265, section 5.4): one of another name may hold what its sender likes. */
const holds = ({ headers }: WireRequest, secrets: readonly string[]) =>
  headers
    .filter(([name]) => name === 'cookie')
    .flatMap(([, value]) => value.split(';').map((part) => part.trim()))
    .some((cookie) => secrets.some((secret) => cookie.startsWith(secret)));

const routeOf = ({ name }: Block) => (name === 'open' ? undefined : name);

const isDecided = ({ isProtected }: Block, { kind, decision, reason }: RequestRow) =>
  kind === 'request' && (isProtected ? decision === 'allow' : reason === 'unprotected');

function mayEnter(
  { name, may }: Block,
  caller: Caller | undefined,
  { method }: WireRequest,
  { reason }: RequestRow,
): boolean {
  const isPreflight = reason === 'preflight' && name === 'hook' && method === 'OPTIONS';
  return isPreflight || (reason !== 'preflight' && may.includes(caller ?? 'nobody'));
}

const inOrder = (pairs: [string, string][]) =>
  pairs.toSorted((a, b) => a.join(': ').localeCompare(b.join(': ')));

/** Names as a CGI program reads them. */
function toldIn({ headers }: WireRequest): [string, string][] {
  const read = headers.map(([name, value]): [string, string] => [
    name.replaceAll(/[^a-z0-9]/g, '-'),
    value,
  ]);
  return inOrder(read.filter(([name]) => /^-*(remote|signet)/.test(name)));
}

function isTold({ isProtected }: Block, caller: Caller | undefined, told: [string, string][]) {
  const wanted = isProtected ? TOLD[caller ?? 'nobody'] : {};
  return sameAs(told, inOrder(Object.entries(wanted)));
}

const OURS: readonly (readonly [string, string])[] = [
  ['user.id', 'remote-user'],
  ['team', 'remote-team'],
  ['user_type', 'remote-user-type'],
];

function isBaggageOf(caller: Caller | undefined, one: WireRequest): boolean {
  const members = valuesOf(one, 'baggage').join(',').split(',');
  const pairs = members.map((member) =>
    member
      .split(';')[0]
      ?.split('=')
      .map((part) => part.trim()),
  );
  const told = TOLD[caller ?? 'nobody'];
  return OURS.every(([key, header]) => {
    const values = pairs.flatMap((pair) =>
      decoded(pair?.[0] ?? '').toLowerCase() === key ? [pair?.[1]] : [],
    );
    return sameAs(values, header in told ? [told[header]] : []);
  });
}

function isTraceOf({ requestId, traceId }: RequestRow, one: WireRequest): boolean {
  const id = requestId.replaceAll('-', '');
  const wanted = `00-${traceId}-${id.slice(16)}`;
  return sameAs(
    valuesOf(one, 'traceparent').map((value) => value.slice(0, -3)),
    [wanted],
  );
}

function isSpanOf({ sampled, identity }: RequestRow, spans: readonly SpanLine[] = []): boolean {
  if (!sampled) return true;
  return (
    spans.length > 0 && spans.every(({ attributes }) => attributes['user.id'] === identity?.user)
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * The path as a plain app reads it: as it is and decoded (Express), as a URL and decoded after (what follows the Fetch
 * standard), or decoded and its dots resolved after (file servers). A `\` and a `;` are letters here: Go encodes the one on
 * the way to the app, and of `..;/` only servlet containers make a `..`.
 */
function pathsOf(target: string): string[] {
  const [path = ''] = target.replace(/^[a-z][a-z0-9+.-]*:(\/\/[^/?#]*)?/i, '').split(/[?#]/);
  const asIs = path.replace(/^\/*/, '/');
  // By the path as it came: what begins with two slashes names a host.
  const asUrl = URL.parse(path, 'http://x')?.pathname ?? '/';
  return [decoded(asIs), decoded(asUrl), posix.normalize(decoded(asIs).replace(/^\/*/, '/'))];
}

function isClosed(block: Block, caller: Caller | undefined, one: WireRequest): boolean {
  const paths = pathsOf(block.asAsked(one.target));
  return CLOSED.some(
    ({ in: place, method, may }) =>
      !may.includes(caller ?? 'nobody') &&
      (method?.test(one.method) ?? true) &&
      paths.some((path) => place.test(path)),
  );
}

function faultsOfAnswers({ trial, answers, rows, seen }: Fate): Fault[] {
  const ids = answers.map(({ requestId }) => requestId).filter((id) => id !== '');
  const all = [...rows.values()].flat();
  const names = answers.flatMap((answer) => answer.names);
  const failing = /^trailer/im.test(trial.text) ? undefined : all.find(isOurFailure);
  const odd = all.find(({ kind }) => kind !== 'request');
  const broken: readonly (readonly [string, boolean])[] = [
    ['an answer has no row, or two', ids.some((id) => rows.get(id)?.length !== 1)],
    ['two answers have one id', new Set(ids).size !== ids.length],
    ['the app is called more often than was asked', seen.length > (trial.most ?? Infinity)],
    ['an answer tells of identity or stamp', names.some((name) => /^(remote|signet)/.test(name))],
    [`${failing?.status} and not by the app, ${failing?.reason}`, failing !== undefined],
    [`a row is ${odd?.kind}`, odd !== undefined],
    [
      'a row says another status than was answered',
      answers.some((answer) => isOther(answer, rows)),
    ],
  ];
  const detail = JSON.stringify({
    answers,
    rows: all.map(({ path, status, reason }) => [path, status, reason]),
  });
  return broken.flatMap(([rule, isSo]) => (isSo ? [{ rule, detail }] : []));
}

/**
 * What has no sense to Caddy as a client (`{}` as a method, a chunk without a size) it answers with 502, whoever it would
 * have asked: of such a request for a page of ours the row has to say that it wasn't there.
 */
const isOurFailure = ({ status, decision, reason, route }: RequestRow) =>
  status >= 500 && decision !== 'allow' && reason !== 'unprotected' && route !== 'signet';

const isOther = ({ status, requestId }: Sent['answers'][number], rows: Fate['rows']) =>
  rows.get(requestId)?.some((row) => row.status !== status) ?? false;
