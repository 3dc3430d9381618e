// The matcher `expression` (CEL), as far as it is plain: matchers by name, comparisons with texts and numbers, lists,
// `!`, `&&`, `||`, brackets. Everything else is unknown.
import { recordAt } from '../edge/adapted.ts';
import { matchSpelled } from './match-method.ts';
import { all, any, opposite, unknown, whether, type Met } from './met.ts';
import { replaced } from './placeholders.ts';
import type { Request } from './request.ts';

type MatchOne = (name: string, wanted: unknown, request: Request) => Met;

const TOKEN =
  /\s*(?:(&&|\|\||[!=]=|[!(),[\]]|\bin\b)|("(?:[^"\\\n]*)"|'(?:[^'\\\n]*)')|(\{[\w.-]+\})|(\d+)|([a-z_]+))/guy;

/** Returns whether the expression holds. */
export function matchExpression(wanted: unknown, request: Request, matchOne: MatchOne): Met {
  const written = typeof wanted === 'string' ? wanted : recordAt(wanted)['expr'];
  const text = typeof written === 'string' ? written : '';
  return parsed(text, request, matchOne) ?? unknown(`the expression ${text} holds`);
}

type Reader = {
  readonly tokens: string[];
  at: number;
  readonly request: Request;
  readonly matchOne: MatchOne;
};

function parsed(text: string, request: Request, matchOne: MatchOne): Met | undefined {
  const tokens = [...text.matchAll(TOKEN)].map(([whole]) => whole);
  // What the tokens don't make up is beyond this reader.
  if (tokens.join('') !== text.trimEnd()) return undefined;
  const reader: Reader = { tokens: tokens.map((token) => token.trim()), at: 0, request, matchOne };
  const met = either(reader);
  return reader.at === reader.tokens.length ? met : undefined;
}

function either(reader: Reader): Met | undefined {
  const parts = [both(reader)];
  while (takes(reader, '||')) parts.push(both(reader));
  return joined(parts, any);
}

function both(reader: Reader): Met | undefined {
  const parts = [single(reader)];
  while (takes(reader, '&&')) parts.push(single(reader));
  return joined(parts, all);
}

function joined(
  parts: readonly (Met | undefined)[],
  join: (parts: readonly Met[]) => Met,
): Met | undefined {
  const read = parts.filter((part) => part !== undefined);
  if (read.length < parts.length) return undefined;
  return read.length === 1 ? read[0] : join(read);
}

function single(reader: Reader): Met | undefined {
  if (takes(reader, '!')) {
    const part = single(reader);
    return part && opposite(part);
  }
  if (takes(reader, '(')) {
    const part = either(reader);
    return takes(reader, ')') ? part : undefined;
  }
  const token = reader.tokens[reader.at++] ?? '';
  return /^[a-z_]+$/.test(token) ? named(token, reader) : compared(token, reader);
}

/** Matchers whose arguments are texts. */
const OF_TEXTS = new Set(['host', 'path', 'method', 'protocol']);

function named(name: string, reader: Reader): Met | undefined {
  if (name === 'true' || name === 'false') return whether(name === 'true', 'always');
  if (!OF_TEXTS.has(name) || !takes(reader, '(')) return undefined;
  const given = textsUntil(reader, ')');
  if (given === undefined) return undefined;
  if (name === 'method') return matchSpelled(given, reader.request.method);
  return reader.matchOne(name, name === 'protocol' ? given[0] : given, reader.request);
}

function compared(token: string, reader: Reader): Met | undefined {
  const operator = reader.tokens[reader.at++];
  const right = operator === 'in' ? listOf(reader) : [reader.tokens[reader.at++] ?? ''];
  if (right === undefined || !token.startsWith('{') || !['==', '!=', 'in'].includes(operator ?? ''))
    return undefined;
  const value = replaced(token, reader.request);
  // CEL: a number is never a text.
  const isNumber = /^\{http\.(?:error\.status_code|request\.port)\}$/.test(token);
  if (right.some((one) => /^\d+$/.test(one) !== isNumber)) return undefined;
  const wanted = right.map(literalOf);
  if (wanted.includes(undefined)) return undefined;
  const why = `${token} is ${wanted.join(' or ')}`;
  if (value === undefined)
    return unknown(operator === '!=' ? `${token} is not ${wanted.join()}` : why);
  const isEqual = wanted.includes(value);
  return whether(
    operator === '!=' ? !isEqual : isEqual,
    isEqual ? why : why.replace(' is ', ' is not '),
  );
}

function listOf(reader: Reader): string[] | undefined {
  if (!takes(reader, '[')) return undefined;
  return tokensUntil(reader, ']');
}

function textsUntil(reader: Reader, end: string): string[] | undefined {
  const read = tokensUntil(reader, end)?.map((token) =>
    /^["']/.test(token) ? literalOf(token) : undefined,
  );
  return read?.every((one) => one !== undefined) ? read : undefined;
}

function tokensUntil(reader: Reader, end: string): string[] | undefined {
  const read: string[] = [];
  while (!takes(reader, end)) {
    const token = reader.tokens[reader.at++];
    if (token === undefined) return undefined;
    if (token !== ',') read.push(token);
  }
  return read;
}

function literalOf(token: string): string | undefined {
  if (/^\d+$/.test(token)) return token;
  return /^["']/.test(token) ? token.slice(1, -1) : undefined;
}

function takes(reader: Reader, token: string): boolean {
  if (reader.tokens[reader.at] !== token) return false;
  reader.at += 1;
  return true;
}
