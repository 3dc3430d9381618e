// What is told of an explanation, in words: who answers, what the client gets, what it hangs on.
import { htmlTarget } from '../edge/html-redirect.ts';
import type { Served } from './way.ts';
import type { Told } from './explain.ts';
import { isRefusedAtOnce } from './told.ts';

/** What becomes of a request, whoever asks: by the gate's yes or no, without a gate, or not at all. */
export type Decision = 'allow' | 'login' | 'deny' | 'none';

/** Returns the decision; `none` where no gate was asked. */
export function decisionOf({ asked }: Told): Decision {
  return (
    asked.findLast(({ verdict }) => verdict.decision !== 'allow')?.verdict.decision ??
    (asked.length > 0 ? 'allow' : 'none')
  );
}

/** Returns whether the gate refused, and something is served all the same. */
export function isPast(told: Told): boolean {
  const decision = decisionOf(told);
  return (
    (decision === 'deny' || decision === 'login') &&
    told.served.by !== 'gate' &&
    told.served.by !== 'intercept' &&
    told.served.by !== 'error'
  );
}

/** Returns whether it is refused: by the gate, which may send to sign-in, or by `import signet`. */
export function isRefused(told: Told): boolean {
  return ['deny', 'login'].includes(decisionOf(told)) || isRefusedAtOnce(told);
}

/** Returns whether nobody is there to answer it: no server listens, or no site is for the host. */
export function isUnserved({ served, siteless }: Told): boolean {
  return served.by === 'nobody' || siteless !== undefined;
}

/** Returns who answers, and what. */
export function servedWords(served: Served): string {
  switch (served.by) {
    case 'gate':
      return gateWords(served.status);
    case 'proxy':
    case 'handler':
      return served.what;
    case 'redirect':
      if (isRefusedAtOnce({ served })) return `${shown(served.status)}, without a body`;
      return `a redirect (${shown(served.status)}) to ${shown(served.to)}`;
    case 'response':
      return responseWords(served);
    case 'error':
      return `an error, ${shown(served.status)}`;
    case 'nothing':
      return 'nothing: Caddy answers 200 without a body';
    case 'closed':
      return 'nothing: Caddy closes the connection';
    case 'nobody':
      return `nobody: ${served.why}`;
    case 'intercept':
      return `what \`intercept\` puts in the place of an answer (not followed here): ${servedWords(served.of)}`;
  }
}

function responseWords({ status, body }: Extract<Served, { by: 'response' }>): string {
  const target = htmlTarget(body);
  if (target !== undefined) return `a redirect (${shown(status)}, by a page) to ${target}`;
  return `respond ${shown(status)}${body ? ` ${JSON.stringify(cut(body))}` : ''}`;
}

function gateWords(status: number): string {
  if (status === 302) return 'the gate: 302, to sign-in';
  return `the gate: ${status}`;
}

function shown(text: string | undefined): string {
  return text ?? 'what only the running Caddy knows';
}

const MAX_BODY = 60;

function cut(text: string): string {
  return text.length > MAX_BODY ? `${text.slice(0, MAX_BODY)}…` : text;
}

/** Returns why it is so, in one sentence. */
export function whyWords(told: Told): string {
  const { asked, open, served, isOwnPage, siteless } = told;
  const last = asked.findLast(({ verdict }) => verdict.decision !== 'allow') ?? asked.at(-1);
  if (isPast(told))
    return 'the gate refuses, and Caddy serves it all the same: this block is open (`signet check` says why)';
  if (last !== undefined) return verdictWords(last.verdict);
  if (open !== undefined)
    return 'it is open on purpose (`unprotected`): anyone is served, and no decision is made';
  if (isRefusedAtOnce(told))
    return '`import signet` refuses it, whoever asks and whatever block it would come to';
  if (isOwnPage)
    return 'it is a page of the sidecar itself (sign-in, sign-out and the like), which decides on its own whom it answers';
  if (siteless !== undefined) return `no site is for the host ${siteless}`;
  const isServed = served.by !== 'response' || htmlTarget(served.body) === undefined;
  if (isServed && ['proxy', 'handler', 'response'].includes(served.by))
    return 'nothing protects it: anyone is served, and no decision is made';
  return 'no gate is asked';
}

function verdictWords({
  decision,
  reason,
  takes,
  status,
}: Told['asked'][number]['verdict']): string {
  if (reason === 'requirement-invalid')
    return `the requirement is invalid, which closes the block: ${takes}`;
  if (reason === 'public') return 'the block is public: it asks for nobody';
  if (reason === 'preflight')
    return 'a browser’s preflight, which +preflight lets in, whoever asks';
  if (decision === 'allow') return `the requirement is met: to ${takes}`;
  if (decision === 'login')
    return `nobody is signed in, and a browser is on its way to a page; it takes to ${takes}`;
  return status === 401
    ? `nobody is known (${reason}); it takes to ${takes}`
    : `it takes to ${takes}`;
}
