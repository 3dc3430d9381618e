// An explanation as one JSON object, for scripts.
import { visibleJson } from '../visible.ts';
import type { Explained, Told } from './explain.ts';
import { decisionOf, servedWords, whyWords } from './words.ts';

/** What was asked, and where its blocks stand. */
export type Asked = {
  readonly method: string;
  readonly url: string;
  /** The caller, for people. */
  readonly by: string;
  /** `FILE:LINE` of the block that takes it, where that can be told. */
  readonly locate: (told: Told) => string | undefined;
};

/** Returns it as one line with its end. */
export function explainJson(
  { outcomes, isCut }: Explained,
  { method, url, by, locate }: Asked,
  { hasTrail }: { readonly hasTrail: boolean },
): string {
  const json = {
    method,
    url,
    by,
    complete: !isCut,
    outcomes: outcomes.map((told) => outcomeJson(told, locate(told), hasTrail)),
  };
  return `${visibleJson(JSON.stringify(json))}\n`;
}

function outcomeJson(told: Told, line: string | undefined, hasTrail: boolean): object {
  const { asked, open, served, when, behind, trail } = told;
  const last = (asked.findLast(({ verdict }) => verdict.decision !== 'allow') ?? asked.at(-1))
    ?.verdict;
  return {
    decision: decisionOf(told),
    ...(last && {
      block: last.route,
      requirement: last.requirement,
      reason: last.reason,
      takes: last.takes,
    }),
    ...(last && last.decision !== 'allow' && { status: last.status }),
    ...(open !== undefined && { unprotected: open }),
    why: whyWords(told),
    answers: { ...served, words: servedWords(served) },
    ...(behind.length > 0 && { behind: behind.map(servedWords) }),
    ...(line !== undefined && { line }),
    when: when.filter((all) => all.length > 0),
    ...(hasTrail && { trail }),
  };
}
