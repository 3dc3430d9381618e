// What a page takes, in the words of the reader's language: "be in the team payments or search".
import { isHumanOnly, type Condition, type Requirement } from '../policy/requirement.ts';
import { fill, type Texts } from './texts.ts';

/** Returns what it takes to meet the requirement, as it stands behind "you need to". */
export function requirementWords(requirement: Requirement, texts: Texts): string {
  const conditions = requirement.level === 'signed-in' ? requirement.conditions : [];
  if (conditions.length === 0) return texts['requirement.any'];
  const parts = conditions.map((condition) => conditionWords(condition, texts));
  return parts.join(texts['requirement.and']);
}

function conditionWords(condition: Condition, texts: Texts): string {
  if (condition.kind === 'actors') return actorsWords(condition.atMost, texts);
  if (isHumanOnly(condition)) return texts['requirement.type.human'];
  const values = condition.anyOf.join(texts['requirement.or']);
  return fill(texts[`requirement.${condition.kind}`], { values });
}

function actorsWords(atMost: number, texts: Texts): string {
  if (atMost === 0) return texts['requirement.actors.none'];
  return fill(texts['requirement.actors.some'], { values: String(atMost) });
}
