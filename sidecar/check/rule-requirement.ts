// What blocks ask for: names and requirements that the gate will understand, and that somebody can meet.
import { type Condition, parseRequirement, type Requirement } from '../policy/requirement.ts';
import { isRouteName } from '../policy/route-name.ts';
import { unknownName } from '../policy/vouched.ts';
import { declaredOpen } from '../edge/gate-handler.ts';
import type { Visit } from '../edge/walk.ts';
import type { Found } from './finding.ts';
import { type EdgeSettings, foundAt, type Rule } from './rule.ts';

/** Returns what is wrong with the names and requirements of blocks. */
export const findRequirements: Rule = ({ sites, settings }) =>
  sites
    .flatMap(({ visits }) => visits)
    .flatMap((visit) =>
      visit.gate
        ? [...inRoute(visit, visit.gate.route), ...inRequirement(visit, settings)]
        : inOpen(visit),
    );

/** What a snippet's argument that is not given stays in the adapted JSON. */
const NO_ARGUMENT = /^\{args[[.]/;

function inOpen(visit: Visit): Found[] {
  const name = declaredOpen(visit.handler);
  return name === undefined ? [] : inRoute(visit, name);
}

function inRoute(visit: Visit, route: string | undefined): Found[] {
  if (route === undefined || route === '' || NO_ARGUMENT.test(route)) {
    return [foundAt('route-invalid', visit, 'it has no name')];
  }
  const seen = `read ${JSON.stringify(route)}`;
  if (route.includes('{')) return [foundAt('route-placeholder', visit, seen)];
  return isRouteName(route) ? [] : [foundAt('route-invalid', visit, seen)];
}

function inRequirement(visit: Visit, settings: EdgeSettings): Found[] {
  const text = visit.gate?.requirement;
  const isGiven = text !== undefined && !NO_ARGUMENT.test(text);
  if (isGiven && text.includes('{')) {
    return [foundAt('requirement-placeholder', visit, `read ${JSON.stringify(text)}`)];
  }
  const requirement = parseRequirement(isGiven ? text : undefined);
  if (requirement.level === 'invalid') {
    const read = isGiven ? `read ${JSON.stringify(text)}: ` : '';
    return [foundAt('requirement-invalid', visit, `${read}${requirement.problem}`)];
  }
  const problem = unmeetable(requirement, settings);
  return problem === undefined ? [] : [foundAt('requirement-unmeetable', visit, problem)];
}

// Of these a caller has one.
const SINGLE = ['user', 'team', 'type', 'idp'];

function unmeetable(
  requirement: Requirement,
  { vouchers, hasTokens }: EdgeSettings,
): string | undefined {
  if (requirement.level !== 'signed-in') return undefined;
  const unknown = vouchers && unknownName(requirement, vouchers);
  if (unknown !== undefined) return unknown;
  if (hasTokens === false && requirement.conditions.some((one) => one.kind === 'scope')) {
    return 'a scope is what a bearer token has, and the settings name nobody who gives any';
  }
  const kind = SINGLE.find((single) => !canBeBoth(requirement.conditions, single));
  return kind && `a caller has one ${kind}, and what it is asked for has nothing in common`;
}

function canBeBoth(conditions: readonly Condition[], kind: string): boolean {
  const lists = conditions.flatMap((one) =>
    one.kind === kind && one.kind !== 'actors' ? [one.anyOf] : [],
  );
  const [first = [], ...more] = lists;
  return lists.length === 0 || first.some((value) => more.every((list) => list.includes(value)));
}
