// A block's requirement, as the Caddyfile states it: `team:payments,search+type:human`.
// A comma is "or" within one kind, `+` is "and". It is read as raw text, never by a form parser.
import { MAX_ACTOR_DEPTH, USER_TYPES } from '../identity/identity.ts';
import { unknownName, type Vouchers } from './vouched.ts';

const KINDS = ['user', 'team', 'role', 'type', 'scope', 'idp', 'actors'] as const;

/** What a caller can be asked for. */
export type Kind = (typeof KINDS)[number];

/** One condition: any one of the values will do, or at most so many actors. */
export type Condition =
  | { readonly kind: Exclude<Kind, 'actors'>; readonly anyOf: readonly string[] }
  /** 0: nobody acts on the user's behalf. */
  | { readonly kind: 'actors'; readonly atMost: number };

export type Requirement =
  | { readonly level: 'public' }
  | {
      readonly level: 'signed-in';
      /** Each must be met; without any, it is enough to be signed in. */
      readonly conditions: readonly Condition[];
      /** Whether a browser's preflight (CORS), which never has credentials, is let through. */
      readonly preflight: boolean;
    }
  /** Does not parse, and therefore denies; `problem` is a sentence for the operator. */
  | { readonly level: 'invalid'; readonly problem: string };

/** What Caddy 2.11.4 makes of a snippet's argument that is not there. */
const NO_ARGUMENT = '%3Cnil%3E';

const PREFLIGHT = 'preflight';

/** Returns the requirement that the text states; anything unclear is `invalid`. Never throws. */
export function parseRequirement(text: string | undefined): Requirement {
  if (text === undefined || text === '' || text === NO_ARGUMENT) {
    return invalid('`protect NAME` has no requirement behind it; write one, or `public`');
  }
  if (text === 'public') return { level: 'public' };
  const terms = text.split('+');
  const asked = terms.filter((term) => term !== PREFLIGHT);
  const problem = misplaced(asked, terms);
  return problem === undefined ? parseTerms(asked, asked.length < terms.length) : invalid(problem);
}

// What is a word of the grammar, and stands where it can't: else it would be called none.
function misplaced(asked: readonly string[], terms: readonly string[]): string | undefined {
  if (terms.includes('')) return 'a + has nothing before or behind it';
  // Public blocks let everything through already, so whoever writes more there means something else.
  if (asked.includes('public')) return 'public stands alone: it lets everything through as it is';
  if (terms.length - asked.length > 1) return 'preflight stands there twice';
  if (asked.length === 0)
    return 'preflight stands alone; write what else is asked, or any+preflight';
  return asked.includes('any', 1) ? 'any stands once only, before all conditions' : undefined;
}

function parseTerms(terms: readonly string[], preflight: boolean): Requirement {
  const conditions: Condition[] = [];
  // `any` adds nothing to the conditions behind it.
  for (const term of terms[0] === 'any' ? terms.slice(1) : terms) {
    const condition = parseCondition(term);
    if (typeof condition === 'string') return invalid(condition);
    conditions.push(condition);
  }
  if (conditions.filter(({ kind }) => kind === 'actors').length > 1) {
    return invalid('actors: stands there twice; the smaller number says it all');
  }
  return { level: 'signed-in', conditions, preflight };
}

function invalid(problem: string): Requirement {
  return { level: 'invalid', problem };
}

function parseCondition(term: string): Condition | string {
  const colon = term.indexOf(':');
  const kind = KINDS.find((known) => known === term.slice(0, Math.max(colon, 0)));
  if (kind === undefined) {
    const near = KINDS.find((known) =>
      [known, `${known}s`].includes(term.slice(0, Math.max(colon, 0)).toLowerCase()),
    );
    const meant = near === undefined ? '' : `; ${near}: is meant, perhaps`;
    return `${JSON.stringify(term)} is not one of public, any, ${KINDS.join(':…, ')}:…, preflight${meant}`;
  }
  const values = term.slice(colon + 1);
  return kind === 'actors' ? parseActors(values) : parseList(kind, values);
}

function parseActors(value: string): Condition | string {
  const isNumber = /^\d$/.test(value) && Number(value) <= MAX_ACTOR_DEPTH;
  if (isNumber) return { kind: 'actors', atMost: Number(value) };
  return `actors:${value} is unknown; allowed is one number from 0 to ${MAX_ACTOR_DEPTH}`;
}

function parseList(kind: Exclude<Kind, 'actors'>, values: string): Condition | string {
  const anyOf: string[] = [];
  for (const raw of values.split(',')) {
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
  if (raw.startsWith(`${kind}:`)) {
    return `${JSON.stringify(raw)} after a comma: ${kind}: stands once, before the first value`;
  }
  if (raw.includes(':')) {
    return `${JSON.stringify(raw)} after a comma: one list is of one kind; join kinds by +`;
  }
  return `${JSON.stringify(raw)} holds more than letters, digits, . _ - @ /: percent-encode it (${encodeURIComponent(raw.toWellFormed())})`;
}

function decodeValue(raw: string): string | undefined {
  if (!/^(?:[A-Za-z0-9._\-@/]|%[0-9A-Fa-f]{2})+$/.test(raw)) return undefined;
  try {
    return decodeURIComponent(raw);
  } catch {
    return undefined;
  }
}

const WORDS: Record<Exclude<Kind, 'actors'>, string> = {
  user: 'be',
  team: 'be in the team',
  role: 'have the role',
  type: 'be of the type',
  scope: 'hold the scope',
  idp: 'come from the identity provider',
};

/** Returns what it takes, in words for a person: "be in the team payments or search". */
export function inWords(requirement: Requirement): string {
  if (requirement.level === 'public') return 'nothing';
  if (requirement.level === 'invalid') return 'a requirement that its operator has to mend';
  if (requirement.conditions.length === 0) return 'be signed in';
  return requirement.conditions.map(conditionInWords).join(' and ');
}

function conditionInWords(condition: Condition): string {
  if (condition.kind !== 'actors') {
    if (isHumanOnly(condition)) return 'be a person, not an agent';
    return `${WORDS[condition.kind]} ${condition.anyOf.join(' or ')}`;
  }
  if (condition.atMost === 0) return 'have no agent acting for you';
  return `have at most ${condition.atMost} acting for you`;
}

/** Returns whether the condition lets nobody but people through. */
export function isHumanOnly(condition: Condition): boolean {
  return condition.kind === 'type' && condition.anyOf.every((type) => type === 'human');
}

/** Distinct requirement texts that are remembered; a Caddyfile has tens. */
export const MAX_REMEMBERED = 1024;

export type RequirementsOptions = {
  /** Whose names `idp:` may have; default: any. */
  readonly vouchers?: Vouchers | undefined;
  /** Told once per block and text that is invalid: one loud line, not one per request. */
  readonly onInvalid: (route: string, text: string, problem: string) => void;
  /** Told once when a block that was closed by such a text is so no more. */
  readonly onMended?: ((route: string) => void) | undefined;
};

/** Returns a parser that reads each distinct text once. */
export function createRequirements({
  vouchers,
  onInvalid,
  onMended,
}: RequirementsOptions): (route: string, text: string | undefined) => Requirement {
  const names = vouchers && [...new Set([...vouchers.people, ...vouchers.tokens])];
  const parsed = new Map<string | undefined, Requirement>();
  const told = new Set<string>();
  const closed = new Set<string>();

  function read(text: string | undefined): Requirement {
    const requirement = parseRequirement(text);
    const problem = names && unknownName(requirement, names);
    const read = problem === undefined ? requirement : invalid(problem);
    if (parsed.size === MAX_REMEMBERED) parsed.clear();
    parsed.set(text, read);
    return read;
  }

  function tell(route: string, text: string, problem: string): void {
    const block = JSON.stringify([route, text]);
    if (told.has(block)) return;
    if (told.size === MAX_REMEMBERED) told.clear();
    if (closed.size === MAX_REMEMBERED) closed.clear();
    told.add(block);
    closed.add(route);
    onInvalid(route, text, problem);
  }

  // Should it be closed again, that is told again.
  function mend(route: string): void {
    told.clear();
    onMended?.(route);
  }

  return (route, text) => {
    const requirement = parsed.get(text) ?? read(text);
    if (requirement.level === 'invalid') tell(route, text ?? '', requirement.problem);
    else if (closed.size > 0 && closed.delete(route)) mend(route);
    return requirement;
  };
}
