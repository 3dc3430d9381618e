// `{$NAME}` and `{$NAME:default}` in a Caddyfile's text: substituted before anything else is read, as Caddy
// does it, and remembered, so that lines still count in the file and a value's origin is known.

/** The environment by name; a name that is not set has no entry, or undefined. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A piece of the substituted text, `from` up to `to`, that stands for a `{$…}`. */
export type Span = {
  readonly from: number;
  readonly to: number;
  /** Line breaks in the `{$…}` itself. */
  readonly breaks: number;
};

export type Substituted = { readonly text: string; readonly spans: readonly Span[] };

/** Returns the text with its environment variables filled in, in linear time, and where that was. */
export function substitute(text: string, env: Environment): Substituted {
  const parts: string[] = [];
  const spans: Span[] = [];
  let [at, length] = [0, 0];
  const keep = (part: string) => {
    parts.push(part);
    length += part.length;
  };
  for (let open = text.indexOf('{$'); open >= 0; open = text.indexOf('{$', at)) {
    const close = text.indexOf('}', open + 2);
    if (close < 0) break;
    const inside = text.slice(open + 2, close);
    keep(text.slice(at, inside === '' ? close + 1 : open));
    at = close + 1;
    if (inside === '') continue;
    const from = length;
    keep(valueOf(inside, env));
    spans.push({ from, to: length, breaks: inside.split('\n').length - 1 });
  }
  keep(text.slice(at));
  return { text: parts.join(''), spans };
}

function valueOf(inside: string, env: Environment): string {
  const colon = inside.indexOf(':');
  const name = colon < 0 ? inside : inside.slice(0, colon);
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  return value ?? (colon < 0 ? '' : inside.slice(colon + 1));
}
