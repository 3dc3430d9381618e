// What filters of Caddy's log leave of a request's target (Caddy 2.11: modules/logging/filters.go). Pure.
import { recordAt } from '../edge/adapted.ts';
import { readPattern } from '../edge/pattern.ts';

type Json = Readonly<Record<string, unknown>>;

/** Returns the target behind all of the filters; undefined where one of them can't be tried here. */
export function targetAfter(filters: readonly Json[], target: string): string | undefined {
  return filters.reduce<string | undefined>(
    (text, filter) => (text === undefined ? undefined : after(filter, text)),
    target,
  );
}

function after(filter: Json, text: string): string | undefined {
  switch (filter['filter']) {
    case 'delete':
    case 'hash':
      return '';
    case 'replace':
      return textOf(filter['value']);
    case 'regexp':
      return replaced(text, filter);
    case 'multi_regexp':
      return recordsAt(filter['operations']).reduce<string | undefined>(
        (so, operation) => (so === undefined ? undefined : replaced(so, operation)),
        text,
      );
    case 'query':
      return recordsAt(filter['actions']).reduce(acted, text);
    // Others look at addresses, cookies and names.
    default:
      return text;
  }
}

function replaced(text: string, { regexp, value }: Json): string | undefined {
  const pattern = readPattern(regexp, 'g');
  return pattern && text.replace(pattern, (...found) => expanded(textOf(value), found));
}

// Go's: `$1`, `${1}`, `${name}`, `$$`; a name that there isn't is empty.
function expanded(template: string, found: readonly unknown[]): string {
  const named = recordAt(found.at(-1));
  // Behind the groups stands the place.
  const groups = found.slice(
    0,
    found.findIndex((one) => typeof one === 'number'),
  );
  return template.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (all, braced?: string, bare?: string) => {
    const name = braced ?? bare;
    if (name === undefined) return all.slice(1);
    return textOf(/^\d+$/.test(name) ? groups[Number(name)] : named[name]);
  });
}

function acted(target: string, { type, parameter, value }: Json): string {
  const [path = '', query = ''] = target.split(/\?(.*)/s);
  const isIt = (pair: string) => pair.split('=')[0] === parameter;
  const pairs = query.split('&').flatMap((pair) => {
    if (!isIt(pair)) return [pair];
    if (type === 'delete') return [];
    if (type === 'hash') return [`${pair.split('=')[0]}=`];
    return type === 'replace' ? [`${pair.split('=')[0]}=${textOf(value)}`] : [pair];
  });
  return `${path}?${pairs.join('&')}`;
}

function recordsAt(list: unknown): Json[] {
  return Array.isArray(list) ? list.map(recordAt) : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
