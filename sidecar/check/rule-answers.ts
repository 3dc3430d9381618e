// Answers that serve nothing still have words: a refusal's text, an error page's, a header, where a redirect leads. What
// of Caddy's machine is put into them is told to anyone, where no gate was asked.
import { recordAt } from '../edge/adapted.ts';
import type { Visit } from '../edge/walk.ts';
import type { Found } from './finding.ts';
import { servedBy } from './places.ts';
import { foundAt, isDeclaredOpen, isGuarded, type Rule } from './rule.ts';

/** Returns answers that show a file or an environment variable to whoever asks. */
export const findTellingAnswers: Rule = ({ sites }) =>
  sites.flatMap(({ visits }) => visits.filter(isForAnyone).flatMap(ofVisit));

// What serves a text is `unguarded` whatever it says.
function isForAnyone(visit: Visit): boolean {
  if (isGuarded(visit) || isDeclaredOpen(visit)) return false;
  return visit.mode !== 'request' || visit.inGateAnswer || servedBy(visit) !== 'text';
}

function ofVisit(visit: Visit): Found[] {
  const told = JSON.stringify(wordsOf(visit));
  return SHOWN.filter(({ placeholder }) => placeholder.test(told)).map(({ what }) =>
    foundAt('unguarded', visit, `${visit.path.at(-1) ?? ''} shows ${what} to anyone`),
  );
}

/** Behind a backslash Caddy takes a brace for a brace. */
const SHOWN = [
  { placeholder: /(?<!\\)\{file\./, what: 'a file' },
  // Others are told on purpose: a node's name, a version.
  {
    placeholder: /(?<!\\)\{env\.[^{}]*(?:key|token|secret|pass|cred)/i,
    what: 'a secret of the environment',
  },
];

// What the client gets, of Caddy 2.11's own handlers.
function wordsOf({ handler }: Visit): unknown {
  switch (handler.handler) {
    case 'static_response':
      return [handler['body'], handler['headers']];
    case 'headers':
      return valuesIn(handler['response']);
    case 'reverse_proxy':
      return valuesIn(recordAt(handler['headers'])['response']);
    default:
      return [];
  }
}

function valuesIn(ops: unknown): unknown {
  const { add, set, replace } = recordAt(ops);
  return [add, set, replace];
}
