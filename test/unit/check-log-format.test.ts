// Which formats of Caddy's log the record can be made of, and which leave credentials in it.
import { describe, expect, test } from '@jest/globals';
import type { Code } from '../../sidecar/check/codes.ts';
import { ofFormat } from '../../sidecar/check/log-format.ts';
import { foundIn } from '../../sidecar/check/rule.ts';

type Json = Record<string, unknown>;

const RIGHT: Json = {
  'request>headers': { filter: 'delete' },
  'request>uri': { filter: 'regexp', regexp: '(code|state|id_token)=[^&]*', value: '${1}=X' },
};

const found = (encoder: Json) =>
  ofFormat({ encoder }, (code: Code, seen: string) => foundIn(code, '', [], seen)).map(
    ({ code, seen }) => `${code}: ${seen}`,
  );

const withFilters = (fields: Json, wrap: Json = { format: 'json' }) =>
  found({ format: 'filter', fields: { ...RIGHT, ...fields }, wrap });

test('credentials taken out by a pattern, and all else as Caddy writes it, is right', () => {
  expect(withFilters({})).toEqual([]);
});

describe('a line that the recorder reads otherwise is found:', () => {
  test.each([
    ['time_key', 'at'],
    ['time_key', ''],
    ['name_key', 'name'],
    ['level_key', 'severity'],
    ['line_ending', ','],
    ['time_format', 'wall'],
    ['duration_format', 'ms'],
  ])('%s %p', (key, value) => {
    const codes = withFilters({}, { format: 'json', [key]: value }).map((one) => one.split(':')[0]);
    expect(codes).toEqual(['log-format']);
  });
});

test.each([
  ['time_key', 'ts'],
  ['line_ending', '\r\n'],
  ['duration_format', 's'],
  ['time_key', null],
  ['message_key', 'message'],
])('what Caddy writes in the same way is no finding: %s %p', (key, value) => {
  expect(withFilters({}, { format: 'json', [key]: value })).toEqual([]);
});

test('a message that Caddy writes as one of the fields of a row is found', () => {
  expect(withFilters({}, { format: 'json', message_key: 'stamp' })).toEqual([
    'log-fields: its encoder writes its own text as stamp',
  ]);
});

test.each([
  ['inside of the filter', { format: 'filter', fields: RIGHT, wrap: { format: 'append' } }, 'wrap'],
  ['around the filter', { format: 'append', wrap: { format: 'filter', fields: RIGHT } }, ''],
])('a field of rows that is appended to each line is found, %s', (_where, encoder, inner) => {
  const fields = { uuid: 'x', instance: 'one' };
  const whole = inner ? { ...encoder, wrap: { format: 'append', fields } } : { ...encoder, fields };
  expect(found(whole)).toEqual(['log-fields: to each line is appended, though it has it, uuid']);
});

test.each(['delete', 'hash', 'replace', 'rename'])('an address is lost by %s', (filter) => {
  expect(withFilters({ 'request>client_ip': { filter, name: 'x' } })).toEqual([
    'log-fields: its filter takes the client’s address away: request>client_ip',
  ]);
});

test('an address that is shortened is still one', () => {
  expect(withFilters({ 'request>remote_ip': { filter: 'ip_mask', ipv4_cidr: 24 } })).toEqual([]);
});

test.each([
  ['user_id', 'stamp', 'stamp'],
  ['request>headers', 'uri', 'request>uri'],
])('%s renamed to %s is found', (field, name, told) => {
  const second = { format: 'filter', fields: { [field]: { filter: 'rename', name } } };
  expect(withFilters({}, { ...second, wrap: { format: 'json' } })).toEqual([
    `log-fields: its filter gives another field the name of ${told}`,
  ]);
});

describe('what is left of sign-in’s target:', () => {
  const LEFT = 'log-credentials: its filter leaves code, state or id_token in request>uri';
  const deleting = (...names: readonly string[]) => ({
    filter: 'query',
    actions: names.map((parameter) => ({ type: 'delete', parameter })),
  });
  const pattern = (regexp: string, value = '') => ({ filter: 'regexp', regexp, value });

  test.each([
    ['a query without one of them', deleting('code', 'state'), [LEFT]],
    ['a query without all of them', deleting('code', 'state', 'id_token'), []],
    ['a pattern for the first', pattern('\\?[^&]*'), [LEFT]],
    ['a pattern for all', pattern('[?].*', '?'), []],
    ['a pattern that brings them back', pattern('=([^&]*)', '=${1}'), [LEFT]],
    ['a group that there isn’t', pattern('=([^&]*)', '=$3'), []],
    [
      'several patterns',
      {
        filter: 'multi_regexp',
        operations: [pattern('(code|state)=[^&]*'), pattern('id_token=[^&]*')],
      },
      [],
    ],
    ['a filter of addresses', { filter: 'ip_mask' }, [LEFT]],
    [
      'a pattern that is none here',
      pattern('(?P<x>code)=[^&]*'),
      ['log-credentials: its filter of request>uri can’t be tried here'],
    ],
  ])('%s', (_name, filter, told) => {
    expect(withFilters({ 'request>uri': filter })).toEqual(told);
  });

  test('all of it, replaced, is no row’s', () => {
    expect(withFilters({ 'request>uri': { filter: 'replace', value: 'X' } })).toEqual([
      'log-fields: its filter takes away, as a whole, request>uri',
    ]);
  });
});

test.each(['rename', 'hash', 'regexp'])('headers are still there after %s', (filter) => {
  expect(withFilters({ 'request>headers': { filter, name: 'sent', regexp: '.*' } })).toEqual([
    'log-credentials: its filter leaves request>headers in it',
  ]);
});
