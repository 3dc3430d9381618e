// What holds of a `Cookie` header, whatever it is. The independent reading is RFC 6265 section 5.4 turned round:
// pairs between semicolons, a name before the first `=`.
import { cookieNames, cookieValues, readCookie, setCookie } from '../../sidecar/identity/cookie.ts';
import {
  MAX_COOKIE_NAMES,
  MAX_COOKIE_PAIRS,
  MAX_COOKIE_VALUES,
} from '../../sidecar/identity/cookie.ts';
import type { Tally } from './properties.ts';
import { count, type Subject } from './subject.ts';

const NAME = '__Host-signet';
const PREFIX = '__Host-signet-login-';

export const COOKIE: Subject = {
  name: 'cookie',
  seeds: [
    `a=b; ${NAME}=s1.Zm9vYmFy; theme=dark`,
    `${NAME}=one; ${NAME}=two`,
    `${PREFIX}m1-x=sealed; ${PREFIX}m2-y=sealed; ${NAME}-other=1`,
    `x="${NAME}=inner"; __proto__=1; constructor=2`,
  ],
  units: [
    ...['; ', ';', '=', ' ', ',', '"', `${NAME}=`, `; ${NAME}=v`, `${NAME}`, `${NAME} =v`, 'a=b; '],
    ...[`${PREFIX}m3-z=`, '__Host-signe', '__HOST-SIGNET=v', `\t${NAME}=v`, '__proto__=x; '],
  ],
  faultOf: cookieFault,
  work(text) {
    readCookie(text, NAME);
    cookieValues(text, NAME);
    cookieNames(text, PREFIX);
  },
  reached: ['cookies found', 'cookies repeated', 'no such cookie'],
};

function cookieFault(text: string, tally: Tally): string | undefined {
  const values = pairsOf(text).flatMap(([name, value]) => (name === NAME ? [value] : []));
  const found = readCookie(text, NAME);
  const wanted = values.length > 1 ? 'repeated' : values[0];
  count(tally, counted(values.length));
  if (found !== wanted) return `${JSON.stringify(found)}, and not ${JSON.stringify(wanted)}`;
  return (
    valuesFault(text, values) ??
    namesFault(text) ??
    (found === undefined ? undefined : roundTripFault(found))
  );
}

function counted(times: number): string {
  if (times === 0) return 'no such cookie';
  return times > 1 ? 'cookies repeated' : 'cookies found';
}

// A pair may be of any text: only spaces before a name go, and what is blank behind a value.
function pairsOf(text: string): [name: string, value: string][] {
  return text.split(';').flatMap((pair): [string, string][] => {
    const bare = pair.replace(/^ +/, '');
    const equals = bare.indexOf('=');
    return equals < 0 ? [] : [[bare.slice(0, equals), bare.slice(equals + 1).trimEnd()]];
  });
}

// Of a session's cookie, all that a browser shows end at a sign-out: those that the gate would read are among them.
function valuesFault(text: string, values: readonly string[]): string | undefined {
  const all = cookieValues(text, NAME);
  if (all.length > MAX_COOKIE_VALUES) return `${all.length} values`;
  if (new Set(all).size < all.length) return 'a value twice';
  const isAll = text.split(';').length > MAX_COOKIE_PAIRS || all.length === MAX_COOKIE_VALUES;
  return isAll || values.every((value) => all.includes(value)) ? undefined : 'a value is not told';
}

function namesFault(text: string): string | undefined {
  const names = cookieNames(text, PREFIX);
  if (names.length > MAX_COOKIE_NAMES) return `${names.length} names`;
  return names.every((name) => name.startsWith(PREFIX) && !/[;=]/.test(name))
    ? undefined
    : 'a name is none';
}

// What a browser was given comes back as it was.
function roundTripFault(value: string): string | undefined {
  if (!/^[\w.~-]+$/.test(value)) return undefined;
  const [pair = ''] = setCookie(NAME, value, 60).split(';');
  return readCookie(`a=b; ${pair}; c=d`, NAME) === value ? undefined : 'it comes back as another';
}
