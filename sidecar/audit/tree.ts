// One row in full, for people: who, what, the decision, and its spans as a timed tree with bars.
// It draws the spans that it is given, and knows nothing of how they are made.
import { styleText } from 'node:util';
import type { Actor } from '../identity/identity.ts';
import { decisionStyle, decisionText, statusStyle, UNKNOWN } from './format.ts';
import { column, localTime, milliseconds, visible } from './format-text.ts';
import type { RowIdentity, StoredRow } from './row.ts';

/** What the tree needs of a span. */
export type TreeSpan = {
  readonly name: string;
  readonly kind: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  /** Microseconds since the epoch. */
  readonly startUs: number;
  readonly endUs: number;
};

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;
type Branch = { readonly span: TreeSpan; readonly indent: string };

const LABEL_WIDTH = 13;
const NAME_WIDTH = 34;
const BAR_WIDTH = 40;

/** Returns the lines about one row, ending in a newline. */
export function formatTree(
  row: StoredRow,
  spans: readonly TreeSpan[],
  { colour = false }: { readonly colour?: boolean } = {},
): string {
  const paint: Paint = (style, text) =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  const lines = [
    ...factsOf(row, paint).map(([label, text]) => paint('dim', column(label, LABEL_WIDTH)) + text),
    '',
    ...spanLines(spans, paint),
  ];
  return `${lines.join('\n')}\n`;
}

function factsOf(row: StoredRow, paint: Paint): [label: string, text: string][] {
  const { identity } = row;
  const facts: [string, string | undefined][] = [
    ['Request', visible(row.requestId)],
    ['Trace', visible(row.traceId) + traceOrigin(row)],
    ['Time', `${localTime(row.startedAtUs, true)}, ${milliseconds(row.durationUs)} ms`],
    ['User', identity === undefined ? UNKNOWN : paint('bold', visible(identity.user))],
    ['Team', shown(identity?.team)],
    ['Type', shown(identity?.type)],
    ['Roles', identity?.roles.length ? visible(identity.roles.join(', ')) : undefined],
    ['Acting', identity?.actor && actorChain(identity.actor, identity)],
    ['Subject', identity && `${visible(identity.subject)} at ${visible(identity.issuer)}`],
    ['Proved by', identity && proof(identity)],
    ['Request line', visible(`${row.method} ${urlOf(row)} ${row.protocol}`)],
    ['Status', paint(statusStyle(row.status), statusText(row.status)) + sizes(row)],
    ['Client', clientText(row)],
    ['User agent', shown(row.userAgent)],
    ['Decision', paint(decisionStyle(row), decisionText(row))],
    ['Reason', row.decision === 'allow' ? row.reason : undefined],
    ['Requirement', shown(row.requirement)],
    ['Route', shown(row.route)],
    ['Gate', gateText(row)],
    ['Upstream', upstreamText(row)],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== undefined);
}

function traceOrigin({ parentSpanId, link }: StoredRow): string {
  if (parentSpanId !== undefined)
    return `, continued from the caller's span ${visible(parentSpanId)}`;
  return link === undefined ? '' : `, linked to the caller's trace ${visible(link.traceId)}`;
}

// RFC 8693: the outermost actor acts now, those within it acted before.
function actorChain(actor: Actor, { user }: RowIdentity): string {
  const names: string[] = [];
  for (let at: Actor | undefined = actor; at !== undefined; at = at.actor) {
    names.push(at.issuer === undefined ? at.subject : `${at.subject} (${at.issuer})`);
  }
  return visible(`${names.join(', through ')}, on behalf of ${user}`);
}

function proof({ method, sessionHash }: RowIdentity): string {
  return sessionHash === undefined ? method : visible(`${method} ${sessionHash}`);
}

function urlOf({ scheme, host, path, query }: StoredRow): string {
  return `${scheme}://${host}${path}${query === undefined ? '' : `?${query}`}`;
}

function statusText(status: number): string {
  return status === 0 ? 'none: the client left before an answer' : String(status);
}

function sizes({ requestBytes, responseBytes }: StoredRow): string {
  return `, ${requestBytes} bytes in, ${responseBytes} bytes out`;
}

function clientText({ clientAddress, peerAddress }: StoredRow): string {
  const isProxied = clientAddress !== peerAddress;
  return visible(isProxied ? `${clientAddress}, through ${peerAddress}` : clientAddress);
}

function gateText({ gate }: StoredRow): string | undefined {
  if (gate === undefined) return undefined;
  const again = gate.supersedes === undefined ? '' : `, in place of number ${gate.supersedes}`;
  return visible(`decision ${gate.number} of boot ${gate.bootId}${again}`);
}

function upstreamText({ upstream }: StoredRow): string | undefined {
  if (upstream === undefined) return undefined;
  const { address, latencyUs, retries } = upstream;
  const answered =
    latencyUs === undefined
      ? 'no answer was measured'
      : `answered after ${milliseconds(latencyUs)} ms`;
  return visible(
    `${address ?? 'not logged'}, ${answered}${retries > 0 ? `, ${retries} retries` : ''}`,
  );
}

function spanLines(spans: readonly TreeSpan[], paint: Paint): string[] {
  const fromUs = Math.min(...spans.map((span) => span.startUs));
  const toUs = Math.max(...spans.map((span) => span.endUs));
  return branchesOf(spans).map(({ span, indent }) => {
    const name = column(visible(`${indent}${span.name}`), NAME_WIDTH);
    const kind = paint('dim', column(visible(span.kind.toLowerCase()), 9));
    const start = `+${milliseconds(span.startUs - fromUs)}`.padStart(10);
    const length = `${milliseconds(span.endUs - span.startUs)} ms`.padStart(13);
    return `${name} ${kind} ${paint('cyan', barOf(span, fromUs, toUs))} ${start} ${length}`;
  });
}

// Parents before their children, these by time. A span whose parent is elsewhere begins a tree.
function branchesOf(spans: readonly TreeSpan[]): Branch[] {
  const ids = new Set(spans.map((span) => span.spanId));
  const under = (parent: string | undefined, indent: string): Branch[] =>
    spans
      .filter(({ parentSpanId }) =>
        parent === undefined ? !ids.has(parentSpanId ?? '') : parentSpanId === parent,
      )
      .toSorted((a, b) => a.startUs - b.startUs)
      .flatMap((span, index, siblings) => {
        const isLast = index === siblings.length - 1;
        const own = parent === undefined ? '' : `${indent}${isLast ? '└─ ' : '├─ '}`;
        const below = parent === undefined ? '' : `${indent}${isLast ? '   ' : '│  '}`;
        return [{ span, indent: own }, ...under(span.spanId, below)];
      });
  return under(undefined, '');
}

function barOf(span: TreeSpan, fromUs: number, toUs: number): string {
  const scale = BAR_WIDTH / Math.max(1, toUs - fromUs);
  const start = Math.min(BAR_WIDTH - 1, Math.floor((span.startUs - fromUs) * scale));
  const end = Math.max(start + 1, Math.ceil((span.endUs - fromUs) * scale));
  return column(' '.repeat(start) + '█'.repeat(Math.min(end, BAR_WIDTH) - start), BAR_WIDTH);
}

function shown(value: string | undefined): string | undefined {
  return value === undefined ? undefined : visible(value);
}
