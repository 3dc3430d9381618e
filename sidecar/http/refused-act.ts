// What was refused under /.signet/, for whoever reads the log. Judges nothing.

const ACTS: readonly (readonly [RegExp, string])[] = [
  [/^\/\.signet\/(?:login|callback|hand-over|accept)(?:\/|$)/, 'a sign-in'],
  [/^\/\.signet\/logout$/, 'a sign-out'],
  [/^\/\.signet\/back-channel-logout(?:\/|$)/, 'a back-channel logout'],
];

/** Returns what somebody wanted at this path, in a few words: `a sign-out`. */
export function refusedAct(path: string): string {
  return ACTS.find(([pattern]) => pattern.test(path))?.[1] ?? 'a request';
}

const whole = new Intl.NumberFormat('en-US');

/** Returns the sentence for one `act` that was refused, or for so many more whose latest one the line has. */
export function refusedText(act: string, reason: string, more?: number): string {
  if (more === undefined) return `${act} was refused`;
  return `${several(act, more)} refused: ${reason}; this is the latest`;
}

/** The same for a request that could not be judged. */
export function failedText(more?: number): string {
  if (more === undefined) return 'a request failed and was refused';
  return `${several('a request', more)} refused, having failed; this is the latest`;
}

function several(act: string, more: number): string {
  const what = act.replace(/^a /, '');
  return more === 1 ? `1 more ${what} was` : `${whole.format(more)} more ${what}s were`;
}
