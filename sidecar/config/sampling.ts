// Which traces are sent: the settings that the gate and the recorder decide by.
import type { Sampling, SamplingRule } from '../trace/sampling.ts';
import { parseDuration } from './address.ts';
import type { Reading } from './reading.ts';
import type { RuleSettings } from './schema-sampling.ts';

/** What is in force, and from when on a request counts as slow. */
export type SamplingSettings = Sampling & { readonly slowUs: number };

const US_PER_MS = 1000;

/** Returns the settings; reports rules about refusals, which would change nothing. */
export function readSampling({ settings, file, report }: Reading): SamplingSettings {
  const { ratio, slow, rules } = settings.sampling;
  for (const [index, rule] of rules.entries()) {
    const decision = rule?.decision;
    if (decision === undefined || !listOf(decision).includes('deny')) continue;
    const where = `${file}: sampling.rules[${index}].decision`;
    const mend = 'take it away: refusals are always sampled';
    report({ where, read: 'deny', allowed: 'allow, login, none', mend });
  }
  const slowUs = (parseDuration(slow) ?? 0) * US_PER_MS;
  const sound = rules.filter((rule) => rule !== undefined);
  return { ratio, rules: sound.map(toRule), slowUs };
}

function toRule({ route, team, type, decision, ratio }: RuleSettings): SamplingRule {
  return {
    ...(route !== undefined && { route: listOf(route) }),
    ...(team !== undefined && { team: listOf(team) }),
    ...(type !== undefined && { type: listOf(type) }),
    ...(decision !== undefined && { decision: listOf(decision) }),
    ratio,
  };
}

function listOf<T extends string>(words: T | readonly T[]): readonly T[] {
  return typeof words === 'string' ? [words] : words;
}
