// Notices a browser whose session holds here and is not seen by the gate, which sends it to sign in again and
// again: two cookies of the name below one path, or two sidecars that share no store. Counted in that browser.
import { hash } from 'node:crypto';
import { clearCookie, readCookie, setCookie } from '../identity/cookie.ts';

const NAME = '__Host-signet-back';
/** So soon after the last one, it counts. */
const WINDOW_SECONDS = 10;
/** Of the same page; a browser gives up after twenty redirects, which are ten rounds. */
const MAX_ROUNDS = 5;

/** Returns the `Set-Cookie` that counts one more; or `loop`, and one that forgets. */
export function straightBack(
  cookies: string | undefined,
  returnTo: string,
): { readonly isLoop: boolean; readonly setCookie: string } {
  const target = hash('sha256', returnTo).slice(0, 12);
  const [rounds, before] = readCookie(cookies, NAME)?.split('.', 2) ?? [];
  const count = before === target ? Number(rounds) + 1 : 1;
  if (count > MAX_ROUNDS) return { isLoop: true, setCookie: clearCookie(NAME) };
  // NaN of a mangled one begins anew.
  const value = `${Number.isSafeInteger(count) ? count : 1}.${target}`;
  return { isLoop: false, setCookie: setCookie(NAME, value, WINDOW_SECONDS) };
}
