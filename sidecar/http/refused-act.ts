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
