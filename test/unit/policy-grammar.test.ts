// The requirement's grammar, held against one that is written down anew: whatever is not exactly of it
// denies, and what is of it means what it says.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decide } from '../../sidecar/policy/decide.ts';
import { parseRequirement, type Requirement } from '../../sidecar/policy/requirement.ts';
import { identity } from '../fixtures/identities.ts';

// public | (any | [any "+"] condition *("+" condition)), with one `preflight` between any two `+`
const VALUE = '(?:[A-Za-z0-9._@/-]|%[0-9A-Fa-f]{2})+';
const LIST = `(?:user|team|role|scope|idp):${VALUE}(?:,${VALUE})*`;
const TYPES = '(?:human|service|agent)';
const TERM = new RegExp(`^(?:${LIST}|type:${TYPES}(?:,${TYPES})*|actors:[0-4])$`);

function isOfTheGrammar(text: string): boolean {
  if (text === 'public') return true;
  const terms = text.split('+');
  const asked = terms.filter((term) => term !== 'preflight');
  const actors = asked.filter((term) => term.startsWith('actors:'));
  if (terms.length - asked.length > 1 || actors.length > 1 || asked.length === 0) return false;
  const conditions = asked[0] === 'any' ? asked.slice(1) : asked;
  return conditions.every((term) => TERM.test(term) && isDecodable(term));
}

function isDecodable(term: string): boolean {
  try {
    // An encoded `human` is the same text; an encoded letter of the kind is not of the grammar.
    return decodeURIComponent(term) !== '';
  } catch {
    return false;
  }
}

const word = fc.constantFrom(
  ...'user team role type scope idp actors public any preflight human agent a'.split(' '),
  ...[
    ':',
    '+',
    ',',
    '0',
    '4',
    '5',
    '%2B',
    '%ff',
    '%',
    ' ',
    '&',
    '#',
    '?',
    'ä',
    '\0',
    '{',
    '-',
    '/',
  ],
);
const nearly = fc.array(word, { maxLength: 12 }).map((words) => words.join(''));
const kind = fc.constantFrom('user', 'team', 'role', 'scope', 'idp');
const value = fc.string({ minLength: 1 }).filter((text) => text.isWellFormed());
const spelled = (text: string) =>
  encodeURIComponent(text).replaceAll(/[!~*'()]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
const list = fc.array(value, { minLength: 1, maxLength: 4 });
const alice = identity({ provider: 'main' });

function deniesEverybody(requirement: Requirement): boolean {
  return (['navigation', 'preflight', 'other'] as const).every((how) =>
    [{ identity: alice }, { refused: 'no-credentials' } as const].every((found) => {
      const { decision, reason } = decide(requirement, found, how);
      return decision === 'deny' && reason === 'requirement-invalid';
    }),
  );
}

describe('a requirement', () => {
  test('never throws, and denies everybody unless it is exactly of the grammar', () => {
    const any = fc.oneof(nearly, fc.string(), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(any, (text) => {
        const requirement = parseRequirement(text);
        const isValid = requirement.level !== 'invalid';
        return isValid === isOfTheGrammar(text) && (isValid || deniesEverybody(requirement));
      }),
      { numRuns: 2_000 },
    );
  });

  test('means the values that were encoded into it, whatever they hold', () => {
    fc.assert(
      fc.property(kind, list, fc.boolean(), (of, values, preflight) => {
        const text = `${of}:${values.map(spelled).join(',')}${preflight ? '+preflight' : ''}`;
        const conditions = [{ kind: of, anyOf: values }];
        expect(parseRequirement(text)).toEqual({ level: 'signed-in', conditions, preflight });
      }),
    );
  });

  test('lets nobody who is signed out through, but for public and for a preflight', () => {
    fc.assert(
      fc.property(nearly, fc.constantFrom('navigation', 'preflight', 'other'), (text, how) => {
        const requirement = parseRequirement(text);
        const { decision } = decide(requirement, { refused: 'no-credentials' }, how);
        const isOpen = requirement.level === 'signed-in' && requirement.preflight;
        const isThrough = requirement.level === 'public' || (isOpen && how === 'preflight');
        expect(decision === 'allow').toBe(isThrough);
      }),
    );
  });

  test('a condition more never lets anybody through who was not let through before', () => {
    const term = fc.constantFrom('any', 'team:payments', 'role:x', 'actors:0', 'type:agent');
    const agent = identity({ type: 'agent', actor: { subject: 'bot' } });
    fc.assert(
      fc.property(fc.array(term, { minLength: 1 }), term, (terms, more) => {
        const through = (all: readonly string[]) =>
          decide(parseRequirement(all.join('+')), { identity: agent }, 'other').decision;
        if (through([...terms, more]) === 'allow') expect(through(terms)).toBe('allow');
      }),
    );
  });
});
