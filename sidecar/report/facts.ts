// What is known of one row, as labelled lines for people. What is unknown has no line.
import type { styleText } from 'node:util';
import { actorWords } from '../identity/identity.ts';
import { EVENT_CODES } from '../audit/event.ts';
import { decisionStyle, decisionText, FORGOTTEN, statusStyle, userText } from './format.ts';
import { localTime, milliseconds } from '../audit/format-text.ts';
import { visible } from '../visible.ts';
import type { ReadRow } from '../audit/reader.ts';
import { parseRequirement } from '../policy/requirement.ts';
import { asksWhoVouches } from '../policy/vouched.ts';
import {
  isRequest,
  type EventRow,
  type RequestRow,
  type Row,
  type RowIdentity,
} from '../audit/row.ts';

export type Paint = (style: Parameters<typeof styleText>[0], text: string) => string;

type Fact = readonly [label: string, text: string];
type MaybeFact = readonly [label: string, text: string | undefined];
type ReadRequest = ReadRow & RequestRow;

/** Returns the facts about a request or an event, in the order in which people ask for them. */
export function factsOf(row: ReadRow, paint: Paint): Fact[] {
  const facts = isRequest(row) ? requestFacts(row, paint) : eventFacts(row, paint);
  return [...facts, ...placeFacts(row)].filter((fact): fact is Fact => fact[1] !== undefined);
}

function requestFacts(row: ReadRequest, paint: Paint): MaybeFact[] {
  return [
    ['Request', visible(row.requestId)],
    ['Trace', visible(row.traceId) + traceOrigin(row)],
    [
      'Time',
      `${localTime(row.startedAtUs, true)}, ${milliseconds(row.durationUs)} ms${skewText(row)}`,
    ],
    ...identityFacts(row, paint),
    ['Request line', visible(`${row.method} ${urlOf(row)} ${row.protocol}`)],
    ['Status', paint(statusStyle(row.status), statusText(row.status)) + sizes(row)],
    ['Client', clientText(row)],
    ['User agent', shown(row.userAgent)],
    ['Decision', paint(decisionStyle(row), decisionText(row))],
    ['Reason', row.decision === 'allow' ? row.reason : undefined],
    ['Requirement', shown(row.requirement)],
    ['Problem', shown(problemText(row))],
    ['Route', shown(row.route)],
    ['Gate', gateText(row)],
    ['Upstream', upstreamText(row)],
  ];
}

function eventFacts(row: ReadRow & EventRow, paint: Paint): MaybeFact[] {
  const style = row.kind === 'lost' ? 'red' : 'magenta';
  return [
    [
      row.kind === 'lost' ? 'Lost' : 'Event',
      paint(style, row.event) + `, ${EVENT_CODES[row.event]}`,
    ],
    ['Id', visible(row.requestId)],
    ['Trace', shown(row.traceId)],
    ['Time', localTime(row.startedAtUs, true)],
    ...identityFacts(row, paint),
    ...Object.entries(row.details).map(([name, value], index): MaybeFact => [
      index === 0 ? 'Details' : '',
      visible(`${name}: ${value}`),
    ]),
    ['Route', shown(row.route)],
    ['Gate', gateText(row)],
  ];
}

function identityFacts(row: ReadRow, paint: Paint): MaybeFact[] {
  const { identity } = row;
  return [
    ['User', paint('bold', userText(row))],
    ['Team', shown(identity?.team)],
    ['Type', shown(identity?.type)],
    ['Roles', identity?.roles.length ? visible(identity.roles.join(', ')) : undefined],
    ['Acting', identity?.actor && visible(actorWords(identity))],
    ['Subject', identity && visible(`${identity.subject} at ${identity.issuer}`)],
    ['Proved by', identity && proof(identity)],
  ];
}

function placeFacts({ sequence, chain, hash }: ReadRow): MaybeFact[] {
  return [
    ['Row', visible(`${sequence} of chain ${chain}`)],
    ['Hash', hash],
  ];
}

function traceOrigin({ parentSpanId, link }: RequestRow): string {
  if (parentSpanId !== undefined)
    return `, continued from the caller's span ${visible(parentSpanId)}`;
  return link === undefined ? '' : `, linked to the caller's trace ${visible(link.traceId)}`;
}

function skewText({ skewUs }: RequestRow): string {
  if (skewUs === 0) return '';
  const where = skewUs > 0 ? 'ahead of' : 'behind';
  return `, the gate's clock ${Math.abs(skewUs) / 1000} ms ${where} Caddy's`;
}

function proof({ method, sessionHash }: RowIdentity): string {
  return sessionHash === undefined ? method : visible(`${method} ${sessionHash}`);
}

function urlOf({ scheme, host, path, query, isForgotten }: ReadRequest): string {
  if (isForgotten) return `${scheme}://${host} ${FORGOTTEN}`;
  return `${scheme}://${host}${path}${query === undefined ? '' : `?${query}`}`;
}

function statusText(status: number): string {
  return status === 0 ? 'none: the client left before an answer' : String(status);
}

function sizes({ requestBytes, responseBytes }: RequestRow): string {
  return `, ${requestBytes} bytes in, ${responseBytes} bytes out`;
}

function clientText({ clientAddress, peerAddress, isForgotten }: ReadRequest): string {
  if (isForgotten) return FORGOTTEN;
  const isProxied = clientAddress !== peerAddress;
  return visible(isProxied ? `${clientAddress}, through ${peerAddress}` : clientAddress);
}

function gateText({ gate }: Row): string | undefined {
  if (gate === undefined) return undefined;
  const again = gate.supersedes === undefined ? '' : `, in place of number ${gate.supersedes}`;
  return visible(`decision ${gate.number} of boot ${gate.bootId}${again}`);
}

function upstreamText({ upstream }: RequestRow): string | undefined {
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

// The row says what was written, and not what was wrong with it; nor what the settings were then.
function problemText({ reason, requirement, isForgotten }: ReadRequest): string | undefined {
  if (reason !== 'requirement-invalid' || isForgotten) return undefined;
  const read = parseRequirement(requirement);
  if (read.level === 'invalid') return read.problem;
  return asksWhoVouches(read) ? 'no provider or issuer had that name behind idp: then' : undefined;
}

function shown(value: string | undefined): string | undefined {
  return value === undefined ? undefined : visible(value);
}
