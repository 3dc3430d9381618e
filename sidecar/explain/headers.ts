// The handler `headers`, as far as a later matcher may see it: what it does to the request's own.
import { recordAt, textsAt, type Handler } from '../edge/adapted.ts';
import { recordsAt, textAt } from './parts.ts';
import { replacedKnown } from './placeholders.ts';
import { replacedEvery } from './bounded.ts';
import { goRegExp } from './regexp.ts';
import type { Maybe, Request } from './request.ts';

type Fields = Map<string, Maybe<readonly string[]>>;

/** Returns the request with its headers changed. */
export function withHeaders(handler: Handler, request: Request): Request {
  const operations = recordAt(handler['request']);
  const deleted = textsAt(operations['delete']).map((name) => name.toLowerCase());
  const fields: Fields = new Map(deleted.includes('*') ? [] : request.headers);
  fields.set('host', request.host === undefined ? undefined : [request.host]);
  addTo(fields, operations['add'], request);
  setIn(fields, operations['set'], request);
  for (const pattern of deleted.filter((one) => one !== '*')) deleteFrom(fields, pattern);
  for (const [name, rules] of Object.entries(recordAt(operations['replace'])))
    replaceIn(fields, name, rules, request);
  const host = fields.has('host') ? fields.get('host') : [''];
  fields.delete('host');
  return { ...request, headers: fields, host: host?.at(-1) };
}

/** Returns the request as it is if this handler ran or not: what it would change is not known. */
export function withHeadersPerhaps(handler: Handler, request: Request): Request {
  const made = withHeaders(handler, request);
  const names = new Set([...request.headers.keys(), ...made.headers.keys()]);
  const changed = [...names].filter((name) => !isSame(name, request, made));
  const headers: Fields = new Map(request.headers);
  for (const name of changed) headers.set(name, undefined);
  return { ...request, headers, host: made.host === request.host ? made.host : undefined };
}

function isSame(name: string, before: Request, after: Request): boolean {
  const [one, other] = [before.headers.get(name), after.headers.get(name)];
  if (before.headers.has(name) !== after.headers.has(name)) return false;
  return one === other || (one !== undefined && one.join('\n') === other?.join('\n'));
}

function valuesAt(part: unknown, request: Request): Maybe<string>[] {
  return textsAt(part).map((value) => replacedKnown(value, request));
}

function addTo(fields: Fields, part: unknown, request: Request): void {
  for (const [name, values] of Object.entries(recordAt(part))) {
    const key = name.toLowerCase();
    const added = whole(valuesAt(values, request));
    const present = fields.has(key) ? fields.get(key) : [];
    fields.set(key, present && added && [...present, ...added]);
  }
}

function setIn(fields: Fields, part: unknown, request: Request): void {
  for (const [name, values] of Object.entries(recordAt(part))) {
    const set = whole(valuesAt(values, request));
    fields.set(name.toLowerCase(), set && [set.join(',')]);
  }
}

function whole(values: readonly Maybe<string>[]): Maybe<string[]> {
  const known = values.filter((value) => value !== undefined);
  return known.length === values.length ? known : undefined;
}

function deleteFrom(fields: Fields, pattern: string): void {
  const inner = pattern.replaceAll(/^\*|\*$/g, '');
  const [first, last] = [pattern.startsWith('*'), pattern.endsWith('*')];
  for (const name of [...fields.keys()]) {
    const isMeant =
      first && last
        ? name.includes(inner)
        : first
          ? name.endsWith(inner)
          : last
            ? name.startsWith(inner)
            : name === pattern;
    if (isMeant) fields.delete(name);
  }
}

function replaceIn(fields: Fields, name: string, rules: unknown, request: Request): void {
  const keys =
    name === '*' ? [...fields.keys()] : [name.toLowerCase()].filter((key) => fields.has(key));
  for (const key of keys) {
    for (const rule of recordsAt(rules)) {
      fields.set(key, replacedValues(fields.get(key), rule, request));
    }
  }
}

function replacedValues(
  values: Maybe<readonly string[]>,
  rule: Readonly<Record<string, unknown>>,
  request: Request,
): Maybe<readonly string[]> {
  const by = replacedKnown(textAt(rule['replace']), request);
  const { search, search_regexp: pattern } = rule;
  if (by === undefined || values === undefined) return undefined;
  if (typeof search === 'string' && search !== '') {
    return values.map((value) => value.replaceAll(search, () => by));
  }
  const regExp = typeof pattern === 'string' ? goRegExp(pattern) : undefined;
  // `$1` in it: what is not needed is not guessed.
  if (regExp === undefined || by.includes('$')) return undefined;
  const made = values.map((value) => replacedEvery(value, regExp, () => by));
  return made.every((one) => one !== undefined) ? made : undefined;
}
