// What a review finds in the bytes that a destination would get.
import { describe, expect, test } from '@jest/globals';
import { EVENT_NAMES } from '../../sidecar/audit/event.ts';
import { isRequest, type StoredRow } from '../../sidecar/audit/row.ts';
import { declaredNames } from '../../sidecar/review/declared.ts';
import type { Signal } from '../../sidecar/otlp/destination.ts';
import { createReview, type UsedName } from '../../sidecar/review/review.ts';
import { requestsOf, type RequestParts } from '../../sidecar/review/review-requests.ts';
import { requestJson } from '../../sidecar/review/review-text.ts';
import { planted, settings } from '../fixtures/review-settings.ts';
import { aFullRow, anEvent, aRow, requestId } from '../fixtures/rows.ts';

const SIGNALS = ['traces', 'logs', 'metrics'] as const;
const RESOURCE = ['service.name', 'tier.name'];

/** Rows with everything that rows can have. */
const ROWS: readonly StoredRow[] = [
  aFullRow(),
  { ...aFullRow(), requestId: requestId(2), method: 'PROPFIND', status: 503, requestBytes: 7 },
  aRow({ sampled: false, status: 502 }, 3),
  ...EVENT_NAMES.map((event, at) =>
    anEvent({ event, requestId: `${event}:${at}`, details: { id: 'x' } }),
  ),
].map((row, at) => ({ ...row, sequence: at + 1, hash: 'ab'.repeat(32) }));

function reviewed(
  signal: Signal,
  parts: RequestParts = settings(),
  allowed?: ReadonlySet<string>,
): readonly UsedName[] {
  const review = createReview(signal, RESOURCE, allowed);
  for (const { bytes } of requestsOf(signal, ROWS, parts)) review.add(bytes);
  return review.names();
}

const refused = (names: readonly UsedName[]) =>
  names.filter(({ isAllowed }) => !isAllowed).map(({ where, name }) => `${where} ${name}`);

describe('a review', () => {
  test.each(SIGNALS)('finds nothing undeclared in %s of rows that have everything', (signal) => {
    const names = reviewed(signal);
    expect(names.length).toBeGreaterThan(20);
    expect(refused(names)).toEqual([]);
  });

  test('finds an attribute that nobody declared, and counts it', () => {
    const found = reviewed('traces', planted()).filter(({ isAllowed }) => !isAllowed);
    const spans = ROWS.filter(isRequest).flatMap(settings().spansOf).length;
    expect(found).toEqual([
      {
        signal: 'traces',
        where: 'span.attributes',
        name: 'user.email',
        count: spans,
        isAllowed: false,
      },
    ]);
  });

  test.each(SIGNALS)(
    'finds an attribute of the resource that is not configured, in %s',
    (signal) => {
      const resource = { 'service.name': 'caddy', 'host.name': 'secret-host' };
      expect(refused(reviewed(signal, { ...settings(), resource }))).toEqual([
        'resource.attributes host.name',
      ]);
    },
  );

  test('takes a declared attribute for undeclared where it is on another message', () => {
    const resource = { 'service.name': 'caddy', 'user.id': 'alice' };
    const found = refused(reviewed('traces', { ...settings(), resource }));
    expect(found).toEqual(['resource.attributes user.id']);
  });

  test('with a list allows no other attributes, and asks for no fields of OTLP', () => {
    const allowed = new Set(reviewed('traces').map(({ name }) => name));
    for (const field of ['trace_id', 'spans', 'value']) allowed.delete(field);
    expect(refused(reviewed('traces', settings(), allowed))).toEqual([]);
    allowed.delete('user.id');
    expect(refused(reviewed('traces', settings(), allowed))).toEqual(['span.attributes user.id']);
  });

  test('with a list refuses names of events and of metrics that are not on it', () => {
    const none = new Set<string>();
    expect(refused(reviewed('logs', settings(), none))).toContain(
      'log_record.event_name signet.deployment_marked',
    );
    expect(refused(reviewed('metrics', settings(), none))).toContain('metric.name signet.requests');
  });

  test('begins with what may not leave', () => {
    expect(reviewed('traces', planted())[0]?.name).toBe('user.email');
  });
});

describe('what is declared', () => {
  test.each(SIGNALS)('of %s is declared once', (signal) => {
    const keys = declaredNames(signal, RESOURCE).map(({ where, name }) => `${where} ${name}`);
    expect(keys).toEqual([...new Set(keys)]);
  });

  test('is personal where it is about a person', () => {
    const personal = declaredNames('logs', RESOURCE).filter(({ isPersonal }) => isPersonal);
    expect(personal.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['user.id', 'url.path', 'client.address']),
    );
    expect(personal.map(({ name }) => name)).not.toContain('http.route');
  });

  test('of traces is all there: rows that have everything leave no attribute unused', () => {
    const used = new Set(reviewed('traces').map(({ where, name }) => `${where} ${name}`));
    const unused = declaredNames('traces', RESOURCE)
      .filter(({ where }) => where === 'span')
      .filter(({ where, name }) => !used.has(`${where} ${name}`));
    expect(unused).toEqual([]);
  });
});

test('a request for people has lines, and what is in a value moves no cursor', () => {
  const destination = { name: 'one', endpoint: 'http://127.0.0.1:4317' };
  const request = { name: 'a\u001b[2J\u0085b' };
  const text = requestJson(destination, 'traces', ['api-key'], request, 2);
  expect(text.split('\n').length).toBeGreaterThan(5);
  expect(JSON.parse(text)).toMatchObject({ headers: { 'api-key': '***' }, request });
  const isControl = (char: string) => char !== '\n' && /\p{Cc}/u.test(char);
  expect(Array.from(text).filter(isControl)).toEqual([]);
});
