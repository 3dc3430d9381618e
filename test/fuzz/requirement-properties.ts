// What holds of a block's requirement, whatever its text: only `public` opens, what is unclear denies, and what is
// read is what stands there.
import { decide } from '../../sidecar/policy/decide.ts';
import { inWords, parseRequirement, type Condition } from '../../sidecar/policy/requirement.ts';
import { identity } from '../fixtures/identities.ts';
import type { Tally } from './properties.ts';
import { count, type Subject } from './subject.ts';

export const REQUIREMENT: Subject = {
  name: 'requirement',
  seeds: [
    ...['public', 'any', 'any+preflight', 'team:payments,search+type:human', 'role:Site%20Admins'],
    ...['user:alice@example.com+actors:0', 'scope:read+idp:main', 'actors:4', 'user:%F0%9F%98%80'],
  ],
  units: [
    ...[
      '+',
      ',',
      ':',
      '%',
      '%20',
      '%2B',
      '%2C',
      '%3A',
      '%3Cnil%3E',
      '%ff',
      'public',
      'any',
      'preflight',
    ],
    ...[
      'team:',
      'user:',
      'role:',
      'type:',
      'scope:',
      'idp:',
      'actors:',
      'human',
      'a',
      '9',
      '&require=',
    ],
  ],
  faultOf: requirementFault,
  work: parseRequirement,
  frames: [(filler) => filler, (filler) => `team:a${filler}`, (filler) => `any+${filler}`],
  reached: ['requirement public', 'requirement signed-in', 'requirement invalid'],
};

const NOBODY = { refused: 'no-credentials' } as const;
const SOMEBODY = { identity: identity({ user: 'nobody-in-particular', team: 'none', roles: [] }) };

function requirementFault(text: string, tally: Tally): string | undefined {
  const requirement = parseRequirement(text);
  count(tally, `requirement ${requirement.level}`);
  if (typeof inWords(requirement) !== 'string') return 'it has no words';
  if ((requirement.level === 'public') !== (text === 'public')) return 'public, and not written so';
  const signedOut = decide(requirement, NOBODY, 'other').decision;
  if (signedOut === 'allow' && text !== 'public') return 'the signed out are let in';
  if (requirement.level === 'invalid') {
    const { reason } = decide(requirement, SOMEBODY, 'other');
    return reason === 'requirement-invalid' && requirement.problem !== ''
      ? undefined
      : 'not denied';
  }
  return requirement.level === 'public' ? undefined : readAsWritten(text, requirement);
}

// Another way of reading it: terms by themselves, values as decodeURIComponent has them.
function readAsWritten(
  text: string,
  { conditions, preflight }: { conditions: readonly Condition[]; preflight: boolean },
): string | undefined {
  const terms = text.split('+');
  if (terms.includes('preflight') !== preflight) return 'preflight, or not';
  const wanted = terms.filter((term) => term !== 'preflight' && term !== 'any');
  const found = conditions.map(termOf);
  const isSame = wanted.map(decodeURIComponent).join('\n') === found.join('\n');
  if (!isSame) return `read as ${JSON.stringify(found)}`;
  if (!found.every((term) => term.isWellFormed())) return 'half a character';
  return writtenAnew(conditions, preflight);
}

function termOf(condition: Condition): string {
  if (condition.kind === 'actors') return `actors:${condition.atMost}`;
  return `${condition.kind}:${condition.anyOf.join(',')}`;
}

function writtenAnew(conditions: readonly Condition[], preflight: boolean): string | undefined {
  const terms = conditions.map((condition) =>
    condition.kind === 'actors'
      ? termOf(condition)
      : `${condition.kind}:${condition.anyOf.map(encoded).join(',')}`,
  );
  const text = ['any', ...terms, ...(preflight ? ['preflight'] : [])].join('+');
  const again = parseRequirement(text);
  const isSame =
    again.level === 'signed-in' &&
    again.conditions.map(termOf).join() === conditions.map(termOf).join();
  return isSame ? undefined : 'written anew it is another';
}

function encoded(value: string): string {
  return encodeURIComponent(value).replace(
    /[!'()*~]/g,
    (one) => `%${one.charCodeAt(0).toString(16)}`,
  );
}
