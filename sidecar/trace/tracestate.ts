// `tracestate` (W3C Trace Context level 2, section 3.3): carried on for a trusted caller, within the
// limits. Signet adds no member of its own, so nothing personal can get in here. OpenTelemetry's (`ot`)
// goes on as it came: where its caller's decision is not followed, which is a refusal, there is no app.

/** Most list members (section 3.3.1.1); a list of more is malformed. */
export const MAX_MEMBERS = 32;
/** What must be carried at least, and what we carry at most, in characters (section 3.3.1.5). */
export const MAX_CHARS = 512;
/** Members longer than this go first when something must go (section 3.3.1.5). */
export const LONG_MEMBER_CHARS = 128;

const KEY = /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})$/;
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const SPACE = 32;
const TAB = 9;

/**
 * Returns the members to carry on, or undefined for none. One malformed member, or one key twice,
 * discards the whole, as the section demands of who fails to parse it.
 */
export function carryTracestate(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const members = text
    .split(',')
    .map(trimmed)
    .filter((member) => member !== '');
  if (members.length > MAX_MEMBERS) return undefined;
  const keys = new Set<string>();
  for (const member of members) {
    const equals = member.indexOf('=');
    const key = member.slice(0, Math.max(equals, 0));
    if (!KEY.test(key) || !VALUE.test(member.slice(equals + 1)) || keys.has(key)) return undefined;
    keys.add(key);
  }
  const kept = withinLimits(members);
  return kept.length === 0 ? undefined : kept.join(',');
}

// Not `trim`, which takes more than the section's space and tab; and not `[ \t]+$`, which tries anew at
// each space of a long run: 31,000 of them held the gate for 0.8 s.
function trimmed(member: string): string {
  let from = 0;
  let to = member.length;
  while (from < to && isSpace(member.charCodeAt(from))) from++;
  while (to > from && isSpace(member.charCodeAt(to - 1))) to--;
  return member.slice(from, to);
}

function isSpace(code: number): boolean {
  return code === SPACE || code === TAB;
}

function withinLimits(members: string[]): string[] {
  let kept = members;
  if (kept.join(',').length > MAX_CHARS) {
    kept = kept.filter((member) => member.length <= LONG_MEMBER_CHARS);
  }
  while (kept.join(',').length > MAX_CHARS) kept = kept.slice(0, -1);
  return kept;
}
