// What holds of a query when it is redacted, whatever it is: no value that an app could read by one of those names is
// left, and nothing else is changed. The independent reading is URLSearchParams, with `&` and with `;`.
import { createRedact, REDACTED, REDACTED_PARAMETERS } from '../../sidecar/trace/redact.ts';
import type { Tally } from './properties.ts';
import { count, type Subject } from './subject.ts';

const OWN = 'password';
const redact = createRedact([OWN]);
const NAMES = new Set([...REDACTED_PARAMETERS, OWN].map((name) => name.toLowerCase()));

export const QUERY: Subject = {
  name: 'query',
  seeds: [
    'code=abc&state=xyz&page=2',
    'q=a%20b&X-Amz-Signature=0123&x-amz-credential=k',
    'return=%2Forders%3Fq%3D1&token[]=t&%74oken=u;PASSWORD=p#sig=s',
  ],
  units: [
    ...[
      '&',
      '=',
      ';',
      '#',
      '?',
      '+',
      '[',
      ']',
      '[]',
      '[0]',
      '%20',
      '%5B',
      '%26',
      '%3d',
      '%63ode=v',
    ],
    ...[
      'code=v',
      '&token=v',
      '&Token%20=v',
      '+sig=v',
      'x-amz-date=v',
      'a=b',
      '&code',
      '==code=v',
      '%zz=v',
    ],
    ...['__proto__=v', '&constructor=v', '&access_token=v', 'a?code=v', 'a=b?code=v', '%00code=v'],
  ],
  faultOf: queryFault,
  work: redact,
  frames: [(filler) => filler, (filler) => `a=${filler}`, (filler) => `${filler}code=v`],
  reached: ['queries redacted', 'queries as they were'],
};

function queryFault(text: string, tally: Tally): string | undefined {
  const redacted = redact(text);
  count(tally, redacted === text ? 'queries as they were' : 'queries redacted');
  if (redact(redacted) !== redacted) return 'redacted again it is another';
  const left = leak(redacted) ?? leak(redacted.replaceAll(/[;#]/g, '&'));
  return left === undefined ? changed(text, redacted) : `left: ${left}`;
}

// What goes on with a pair of its own is one: to those who separate by `;`.
const HIDDEN = new RegExp(`^${REDACTED}(?:[;#][^&;#?=]+=[^]*)?$`);

function leak(query: string): string | undefined {
  return query.split('&').find((pair) => {
    const equals = pair.indexOf('=');
    const value = pair.slice(equals + 1);
    return (
      equals > 0 && isSecret(nameOf(pair.slice(0, equals))) && value !== '' && !HIDDEN.test(value)
    );
  });
}

// Behind an `&`, because a question mark at the front is part of a name here, and of none to URLSearchParams.
function nameOf(raw: string): string {
  return new URLSearchParams(`&${raw}=`).keys().next().value ?? '';
}

// As PHP and Rails read names: blanks around don't count, nor does what stands in brackets. With a separator in
// it, it is no name that anybody uses.
function isSecret(name: string): boolean {
  if (/[;#?]/.test(name)) return false;
  const bare = (name.split('[', 1)[0] ?? '').trim().toLowerCase();
  return NAMES.has(bare) || bare.startsWith('x-amz-');
}

// Every pair before stands there still, or up to its value, which is redacted with what follows of it.
function changed(text: string, redacted: string): string | undefined {
  const kept = redacted.split(REDACTED);
  let at = 0;
  for (const [index, part] of kept.entries()) {
    const found = index === 0 ? 0 : text.indexOf(part, at);
    if (found < 0 || !text.startsWith(part, found)) return 'something else was changed';
    at = found + part.length;
  }
  return redacted.split('&').length === text.split('&').length ? undefined : 'an & came or went';
}
