// The lines of `signet config` about the resource that spans are of, and about which of them are sent.
import type { SamplingRule } from '../trace/sampling.ts';
import { byDefault, byVariable, originOf } from './provenance.ts';
import type { Telling, ToldSetting } from './told-setting.ts';

/** Attributes that are settings of their own. */
const SETTINGS = {
  'service.name': 'service.name',
  'service.version': 'service.version',
  'deployment.environment.name': 'service.environment',
  'deployment.id': 'service.deployment',
};

/** Returns the lines about the resource; `version` is Signet's own. */
export function tellResource({ parts, reading, tell }: Telling, version: string): ToldSetting[] {
  const further = Object.entries(parts.resource).filter(([name]) => !Object.hasOwn(SETTINGS, name));
  const resource: Telling['parts']['resource'] = { 'service.version': version, ...parts.resource };
  const fallback = byDefault("by Signet's own version");
  return [
    ...Object.entries(SETTINGS).flatMap(([name, setting]) => {
      const isVersion = setting === 'service.version';
      const origin = originOf(setting, reading, isVersion ? fallback : undefined);
      return tell({ setting, value: resource[name], origin });
    }),
    ...further.flatMap(([name, value]) =>
      tell({ setting: `resource.${name}`, value, origin: byVariable('OTEL_RESOURCE_ATTRIBUTES') }),
    ),
  ];
}

/** Returns the lines about sampling, a line for each rule. */
export function tellSampling({ parts, reading, tell }: Telling): ToldSetting[] {
  const { ratio, rules } = parts.sampling;
  const { slow, rules: written } = reading.settings.sampling;
  const indices = [...written.keys()].filter((index) => written[index] !== undefined);
  const lines = rules.map((rule, at) => ({
    setting: `sampling.rules[${indices[at]}]`,
    value: ruleText(rule),
  }));
  return [
    ...tell({ setting: 'sampling.ratio', value: ratio }),
    ...tell({ setting: 'sampling.slow', value: slow }),
    ...(written.length === 0 ? tell({ setting: 'sampling.rules', value: [] }) : []),
    ...lines.flatMap(tell),
  ];
}

function ruleText({ ratio, ...conditions }: SamplingRule): string {
  const words = Object.entries(conditions).map(([kind, list]) => `${kind} ${list.join(' or ')}`);
  return `${ratio} of ${words.join(' and ')}`;
}
