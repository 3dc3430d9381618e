// Who a requirement wants callers vouched for by: its `idp:`, held against the names that there are. Pure.
import type { Requirement } from './requirement.ts';

/** The names of providers that people sign in at, and of issuers of bearer tokens. */
export type Vouchers = { readonly people: readonly string[]; readonly tokens: readonly string[] };

const MAX_SHOWN = 20;

/** Returns a sentence about the first name behind `idp:` that nobody has; undefined when all are known. */
export function unknownName(
  requirement: Requirement,
  names: readonly string[],
): string | undefined {
  const unknown = listsOf(requirement)
    .flat()
    .find((name) => !names.includes(name));
  if (unknown === undefined) return undefined;
  const more = names.length > MAX_SHOWN ? ` and ${names.length - MAX_SHOWN} more` : '';
  const there = names.slice(0, MAX_SHOWN).join(', ') + more;
  return `idp:${unknown} is no name of a provider or issuer; there are ${there}`;
}

/** Returns the one of these names that all must be vouched for by; undefined where there is a choice, or none. */
export function onlyVoucher(
  requirement: Requirement,
  names: readonly string[],
): string | undefined {
  const only = listsOf(requirement).find(({ length }) => length === 1)?.[0];
  return only !== undefined && names.includes(only) ? only : undefined;
}

/** Returns whether it asks by whom a caller is vouched for. */
export function asksWhoVouches(requirement: Requirement): boolean {
  return listsOf(requirement).length > 0;
}

function listsOf(requirement: Requirement): (readonly string[])[] {
  const conditions = requirement.level === 'signed-in' ? requirement.conditions : [];
  return conditions.flatMap((one) => (one.kind === 'idp' ? [one.anyOf] : []));
}
