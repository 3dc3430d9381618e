// Secrets that come into a header by a variable: `vars tok …` or `map … {tok} { … }`, and `header_up Authorization {tok}`
// elsewhere. Tells places, never values; whether a value is written out is judged where it is told.
import { kindOfHeader, kindOfName, type SecretKind } from './secret-words.ts';
import type { Directive, Word } from './tree.ts';

/** Variables that a header of credentials is made of: name → what that header holds. */
export type Carriers = ReadonlyMap<string, SecretKind>;

/** Returns the variables that credentials are made of, in these lines and their blocks. */
export function carriersIn(lines: readonly Directive[]): Carriers {
  return new Map(lines.flatMap((line) => namesIn(line)));
}

// The name of a header stands right before its value, on a line of its own or in a block of `header`.
function namesIn({ name, args, block }: Directive): [string, SecretKind][] {
  const words = [name, ...args.map(({ text }) => text)];
  const kind = kindOfHeader(words.at(-2) ?? '');
  const used = [...(words.at(-1) ?? '').matchAll(/\{(?:http\.)?(?:vars\.)?([^{}]+)\}/g)];
  const own =
    kind === undefined ? [] : used.map(([, one = '']): [string, SecretKind] => [one, kind]);
  return [...own, ...block.flatMap(namesIn)];
}

export type Carried = { readonly kind: SecretKind; readonly value: Word };

/** Returns what a line and its block put into variables that are, or are called, a secret. */
export function carried(line: Directive, carriers: Carriers): readonly Carried[] {
  const inner = line.block.flatMap((one) => carried(one, carriers));
  if (line.name === 'map') return [...ofMap(line, carriers), ...inner];
  return line.name === 'vars' ? [...ofVars(line, carriers), ...inner] : inner;
}

function ofVars({ args, block }: Directive, carriers: Carriers): readonly Carried[] {
  const pairs = [
    [args.at(-2)?.text, args.at(-1)] as const,
    ...block.map((line) => [line.name, line.args[0]] as const),
  ];
  return pairs.flatMap(([name = '', value]) => {
    const kind = carriers.get(name);
    return kind === undefined || value === undefined ? [] : [{ kind, value }];
  });
}

// `map [matcher] SOURCE {a} {b} { INPUT for-a for-b }`; a `-` is none.
function ofMap({ args, block }: Directive, carriers: Carriers): readonly Carried[] {
  const skipped = /^[@*/]/.test(args[0]?.text ?? '') ? 2 : 1;
  return args.slice(skipped).flatMap(({ text }, at) => {
    const name = text.replaceAll(/^\{|\}$/g, '');
    const kind = carriers.get(name) ?? kindOfName(name);
    const values = block.flatMap((line) => line.args[at] ?? []);
    return kind === undefined
      ? []
      : values.filter((value) => value.text !== '-').map((value) => ({ kind, value }));
  });
}
