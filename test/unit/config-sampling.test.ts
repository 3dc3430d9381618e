import { describe, expect, test } from '@jest/globals';
import { configOf, errorsOf, yaml } from '../fixtures/config-sources.ts';

const of = (text: string) => configOf({}, yaml(`sampling: ${text}`)).sampling;
const problems = (text: string) => errorsOf({}, yaml(`sampling: ${text}`));

describe('sampling', () => {
  test('is of everything unless less is asked for, and two seconds are slow', () => {
    expect(configOf().sampling).toEqual({ ratio: 1, rules: [], slowUs: 2_000_000 });
  });

  test.each([0, 0.001, 1])('has a ratio from 0 to 1, such as %s', (ratio) => {
    expect(of(`{ ratio: ${ratio} }`).ratio).toBe(ratio);
  });

  test.each(['10%', '-0.1', '1.1', 'half', '.nan'])('a ratio is not %s', (ratio) => {
    expect(problems(`{ ratio: ${ratio} }`)).toMatchObject([
      { where: 'signet.yaml: sampling.ratio', allowed: expect.stringContaining('from 0 to 1') },
    ]);
  });

  test('may have its ratio from the environment, which wins', () => {
    const config = configOf({ SIGNET_SAMPLING_RATIO: '0.25' }, yaml('sampling: { ratio: 1 }'));
    expect(config.sampling.ratio).toBe(0.25);
    expect(configOf({ SIGNET_SAMPLING_RATIO: '.5' }).sampling.ratio).toBe(0.5);
  });

  test.each(['10%', '2', '-1', '0x1', '1e-1'])('SIGNET_SAMPLING_RATIO=%s is a mistake', (text) => {
    expect(errorsOf({ SIGNET_SAMPLING_RATIO: text })).toMatchObject([
      { where: 'SIGNET_SAMPLING_RATIO' },
    ]);
  });

  test('slow is a time', () => {
    expect(of('{ slow: 750ms }').slowUs).toBe(750_000);
    expect(problems('{ slow: 2 }')).toMatchObject([{ where: 'signet.yaml: sampling.slow' }]);
    expect(problems('{ slow: soon }')).toMatchObject([{ where: 'signet.yaml: sampling.slow' }]);
  });
});

describe('a rule of sampling', () => {
  test('names one word or several of each kind', () => {
    const text = `
  rules:
    - { route: health, ratio: 0 }
    - { route: [a, b], team: search, type: [service, agent], decision: allow, ratio: 0.5 }`;
    expect(of(text).rules).toEqual([
      { route: ['health'], ratio: 0 },
      {
        route: ['a', 'b'],
        team: ['search'],
        type: ['service', 'agent'],
        decision: ['allow'],
        ratio: 0.5,
      },
    ]);
  });

  test.each([
    ['{ ratio: 0.5 }', '', 'a mapping of 1 key'],
    ['{ decision: deny, ratio: 0 }', '.decision', 'deny'],
    ['{ decision: [allow, deny], ratio: 0 }', '.decision', 'deny'],
    ['{ route: a }', '.ratio', 'nothing'],
    ['{ route: a, ratio: 50 }', '.ratio', '50'],
    ['{ route: [], ratio: 1 }', '.route', '[]'],
    ["{ route: '', ratio: 1 }", '.route', '""'],
    ['{ type: robot, ratio: 1 }', '.type', '"robot"'],
    ['{ decision: refuse, ratio: 1 }', '.decision', '"refuse"'],
    ['{ tema: a, ratio: 1 }', '.tema', 'an unknown key: "tema"'],
  ])('%s is a mistake', (rule, path, read) => {
    const errors = problems(`{ rules: [{ team: a, ratio: 1 }, ${rule}] }`);
    expect(errors).toMatchObject([{ where: `signet.yaml: sampling.rules[1]${path}`, read }]);
  });

  test('about refusals is a mistake beside another one of the list, under its own index', () => {
    const errors = problems('{ rules: [{ route: a }, 5, { decision: [deny], ratio: 0 }] }');
    expect(errors.map(({ where }) => where)).toEqual([
      'signet.yaml: sampling.rules[0].ratio',
      'signet.yaml: sampling.rules[1]',
      'signet.yaml: sampling.rules[2].decision',
    ]);
  });

  test('about refusals is told why it is none', () => {
    const [error] = problems('{ rules: [{ decision: deny, ratio: 0 }] }');
    expect(error).toMatchObject({
      allowed: 'allow, login, none',
      mend: 'take it away: refusals are always sampled',
    });
  });

  test('of a kind that has closed words lists them', () => {
    const [error] = problems('{ rules: [{ type: robot, ratio: 1 }] }');
    expect(error?.allowed).toContain('human, service, agent');
  });
});

describe('the deployment', () => {
  test('is an attribute of the resource', () => {
    const file = yaml('service: { deployment: blue-7 }');
    expect(configOf({}, file).resource).toMatchObject({ 'deployment.id': 'blue-7' });
    expect(configOf().resource).not.toHaveProperty(['deployment.id']);
  });

  test('is what SIGNET_DEPLOYMENT says, then OTEL_RESOURCE_ATTRIBUTES, then the file', () => {
    const file = yaml('service: { deployment: a }');
    const attributes = { OTEL_RESOURCE_ATTRIBUTES: 'deployment.id=b' };
    expect(configOf(attributes, file).resource).toMatchObject({ 'deployment.id': 'b' });
    const env = { ...attributes, SIGNET_DEPLOYMENT: 'c' };
    expect(configOf(env, file).resource).toMatchObject({ 'deployment.id': 'c' });
  });
});
