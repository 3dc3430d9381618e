// The schema of `sampling`. What a rule must have besides is sampling.ts's to say.
import { z } from 'zod';
import { USER_TYPES } from '../identity/identity.ts';
import { duration, sections, text, UNLESS_WRONG } from './schema-parts.ts';

const ratio = z.number().min(0).max(1);

/** One word or several. */
function oneOrMore<T extends z.ZodType>(word: T) {
  return z.union([word, z.array(word).min(1)]).optional();
}

// With `deny`, which sampling.ts refuses and says why; an editor is not to offer it.
const decision = z
  .enum(['allow', 'login', 'deny', 'none'])
  .meta({ enum: ['allow', 'login', 'none'] });

const rule = z
  .strictObject({
    route: oneOrMore(text).describe('a route name, or a list of them'),
    team: oneOrMore(text).describe('a team, or a list of them'),
    type: oneOrMore(z.enum(USER_TYPES)).describe(`one or a list of: ${USER_TYPES.join(', ')}`),
    decision: oneOrMore(decision).describe('one or a list of: allow, login, none'),
    ratio: ratio.describe('a number from 0 to 1'),
  })
  .refine((rule) => Object.keys(rule).length > 1, UNLESS_WRONG)
  .meta({ minProperties: 2 })
  .describe('a rule by one or more of route, team, type and decision');

export const sampling = z.strictObject({
  ratio: ratio.default(1).describe('a number from 0 to 1: how many of the traces are sent'),
  slow: duration.default('2s').describe('a time such as 500ms or 2s'),
  rules: sections(rule)
    .default([])
    .describe('a list of rules, of which the first that fits counts'),
});

/** One entry under `sampling.rules`. */
export type RuleSettings = z.output<typeof rule>;
