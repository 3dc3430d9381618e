// deploy/tutorial.md, followed literally on a machine that has nothing but the repository: package, stand-ins,
// sidecar, Caddy, browser, record and trace. And the reader itself: a text that is wrong is found out.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findCaddy } from '../../caddy/find.ts';
import { readGuide } from '../fixtures/markdown.ts';
import { tutorialSteps } from '../fixtures/tutorial.ts';
import { cloneRepository, makeMachine, type Machine } from '../fixtures/tutorial-machine.ts';
import { followTutorial, type Followed } from '../fixtures/tutorial-run.ts';

let machine: Machine;
beforeAll(async () => {
  const { path } = await findCaddy({ env: process.env, say: () => {} });
  machine = makeMachine(path);
});
afterAll(() => machine.remove());

describe('deploy/tutorial.md, followed literally', () => {
  let followed: Followed;
  beforeAll(async () => {
    cloneRepository(machine);
    followed = await followTutorial(tutorialSteps(readGuide('deploy/tutorial.md')), machine);
  }, 240_000);

  test('the app answers alice, and refuses her when the requirement is another', () => {
    expect(followed.pages.map(({ status }) => status)).toEqual([200, 403, 403]);
  });

  test('the receiver has the trace of the page that alice was shown', () => {
    const [traceId] = traceIds(followed.pages[0]?.headers);
    expect(followed.terminals['receiver']).toContain(`trace ${traceId}\n  caddy: GET app`);
  });

  test('her row is found by her name', () => {
    const [traceId = 'none'] = traceIds(followed.pages[0]?.headers);
    const rows = followed.terminals['main']?.split('\n').filter((line) => line.includes(traceId));
    expect(rows).toContainEqual(expect.stringMatching(/ alice .* GET .* 200 .* allow /));
  });

  test('after Ctrl-C in each terminal nothing runs any more', () => {
    expect(followed.left).toEqual([]);
  });
});

describe('a text that is wrong', () => {
  const follow = (...lines: string[]) => followTutorial(tutorialSteps(lines.join('\n')), machine);

  test.each([
    ['a command that fails', ['```sh', 'false', 'true', '```'], 'a command ended with 1'],
    ['another output', ['```sh', 'echo 1', '```', '```text', '2', '```'], 'shown is\n1'],
    ['a line too few', ['```sh', 'seq 2', '```', '```text', '1', '```'], 'shown is\n1\n2'],
    ['output that is not told', ['```sh', 'echo 1', '```'], 'nothing is shown'],
    [
      'a program that ends before it has said so',
      ['```sh terminal=other', 'echo ended', '```', '```text', 'listening', '```'],
      'shown is\nended',
    ],
  ])('is found out: %s', async (_, lines, problem) => {
    await expect(follow(...lines)).rejects.toThrow(problem);
  });

  test('is found out: a block that belongs to nothing', () => {
    expect(() => tutorialSteps('```yaml\na: b\n```')).toThrow('line 1: a block of `yaml`');
  });
});

test('a program that does not heed Ctrl-C is killed in the end, and named', async () => {
  const deaf = [
    '```sh terminal=deaf',
    "trap '' INT HUP; echo deaf; cat /dev/zero >/dev/null",
    '```',
  ];
  const text = [...deaf, '```text', 'deaf', '```'].join('\n');
  const { left } = await followTutorial(tutorialSteps(text), machine);
  expect(left).toContain('cat');
});

function traceIds(headers: Followed['pages'][number]['headers'] | undefined): string[] {
  return [String(headers?.['x-request-id']).replaceAll('-', '')];
}
