// A block's requirement, as the Caddyfile states it: `team:payments,search+type:human`.
// A comma is "or" within one kind, `+` is "and". It is read as raw text, never by a form parser.
import { USER_TYPES } from '../identity/identity.ts';

/** What a caller can be asked for. */
export type Kind = 'user' | 'team' | 'role' | 'type' | 'scope';

const KINDS: readonly Kind[] = ['user', 'team', 'role', 'type', 'scope'];

/** One condition: any one of the values will do. */
export type Condition = { readonly kind: Kind; readonly anyOf: readonly string[] };

export type Requirement =
  | { readonly level: 'public' }
  /** Signed in, and each condition met. */
  | { readonly level: 'signed-in'; readonly conditions: readonly Condition[] }
  /** Does not parse, and therefore denies; `problem` is a sentence for the operator. */
  | { readonly level: 'invalid'; readonly problem: string };

/** What Caddy 2.11.4 makes of a snippet's argument that is not there. */
const NO_ARGUMENT = '%3Cnil%3E';

/** Returns the requirement that the text states; anything unclear is `invalid`. Never throws. */
export function parseRequirement(text: string | undefined): Requirement {
  if (text === undefined || text === '' || text === NO_ARGUMENT) {
    return invalid('`protect NAME` has no requirement behind it; write one, or `public`');
  }
  if (text === 'public') return { level: 'public' };
  if (text === 'any') return { level: 'signed-in', conditions: [] };
  const conditions: Condition[] = [];
  for (const term of text.split('+')) {
    const condition = parseCondition(term);
    if (typeof condition === 'string') return invalid(condition);
    conditions.push(condition);
  }
  return { level: 'signed-in', conditions };
}

function invalid(problem: string): Requirement {
  return { level: 'invalid', problem };
}

function parseCondition(term: string): Condition | string {
  const colon = term.indexOf(':');
  const kind = KINDS.find((known) => known === term.slice(0, Math.max(colon, 0)));
  if (kind === undefined) {
    return `${JSON.stringify(term)} is not one of public, any, ${KINDS.join(':…, ')}:…`;
  }
  const anyOf: string[] = [];
  for (const raw of term.slice(colon + 1).split(',')) {
    const value = decodeValue(raw);
    if (value === undefined) return unreadable(kind, raw);
    if (kind === 'type' && !USER_TYPES.some((type) => type === value)) {
      return `type:${value} is unknown; allowed are ${USER_TYPES.join(', ')}`;
    }
    anyOf.push(value);
  }
  return { kind, anyOf };
}

function unreadable(kind: Kind, raw: string): string {
  if (raw === '') return `${kind}: has an empty value`;
  if (raw.includes(':')) {
    return `${JSON.stringify(raw)} after a comma: one list is of one kind; join kinds by +`;
  }
  return `${JSON.stringify(raw)} holds more than letters, digits, . _ - @ /: percent-encode it`;
}

function decodeValue(raw: string): string | undefined {
  if (!/^(?:[A-Za-z0-9._\-@/]|%[0-9A-Fa-f]{2})+$/.test(raw)) return undefined;
  try {
    return decodeURIComponent(raw);
  } catch {
    return undefined;
  }
}

const WORDS: Record<Kind, string> = {
  user: 'be',
  team: 'be in the team',
  role: 'have the role',
  type: 'be of the type',
  scope: 'hold the scope',
};

/** Returns what it takes, in words for a person: "be in the team payments or search". */
export function inWords(requirement: Requirement): string {
  if (requirement.level === 'public') return 'nothing';
  if (requirement.level === 'invalid') return 'a requirement that its operator has to mend';
  if (requirement.conditions.length === 0) return 'be signed in';
  return requirement.conditions
    .map(({ kind, anyOf }) => `${WORDS[kind]} ${anyOf.join(' or ')}`)
    .join(' and ');
}

/** Distinct requirement texts that are remembered; a Caddyfile has tens. */
const MAX_REMEMBERED = 1024;

/**
 * Returns a parser that reads each distinct text once. `onInvalid` is told once per distinct text
 * that does not parse: one loud line, not one per request.
 */
export function createRequirements(
  onInvalid: (route: string, text: string, problem: string) => void,
): (route: string, text: string | undefined) => Requirement {
  const parsed = new Map<string | undefined, Requirement>();
  return (route, text) => {
    const known = parsed.get(text);
    if (known !== undefined) return known;
    const requirement = parseRequirement(text);
    if (requirement.level === 'invalid') onInvalid(route, text ?? '', requirement.problem);
    if (parsed.size === MAX_REMEMBERED) parsed.clear();
    parsed.set(text, requirement);
    return requirement;
  };
}
