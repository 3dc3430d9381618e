// Secrets that stand in a Caddyfile in plain text, where whoever reads the file has them: only the source
// shows that, because in the JSON a value from the environment looks the same. Tells places, never values.
import {
  hasUrlPassword,
  isLiteral,
  kindOfHeader,
  kindOfName,
  type SecretKind,
} from './secret-words.ts';
import { carried, carriersIn } from './secret-carriers.ts';
import type { Place } from './token.ts';
import type { CaddyfileTree, Directive, Word } from './tree.ts';

export type FoundSecret = Place & { readonly kind: SecretKind };

/**
 * Blocks whose names and values are something else: hashes, which are there to be read; what is done to a
 * field of the log; and what is matched or changed by a pattern.
 */
const NOT_LOOKED_INTO = new Set([
  'basic_auth',
  'basicauth',
  'fields',
  'format',
  'header_regexp',
  'vars_regexp',
  'wrap',
]);

const HEADER_LINES = new Set(['header', 'header_up', 'header_down', 'request_header']);

/** Returns the places of literal secrets, each once, in the order of the tree; of snippets, too. */
export function secretsIn(tree: CaddyfileTree): readonly FoundSecret[] {
  const found = new Map<string, FoundSecret>();
  const tell = (kind: SecretKind, { file, line }: Place) => {
    const key = `${kind}|${line}|${file}`;
    if (!found.has(key)) found.set(key, { kind, file, line });
  };
  const blocks = [tree.global, ...tree.sites, ...tree.namedRoutes, ...tree.snippets];
  const lines = blocks.flatMap((block) => block?.directives ?? []);
  const carriers = carriersIn(lines);
  for (const line of lines) {
    look(line, '', tell);
    for (const { kind, value } of carried(line, carriers)) if (isLiteral(value)) tell(kind, value);
  }
  return [...found.values()];
}

type Tell = (kind: SecretKind, place: Place) => void;

function look(line: Directive, parent: string, tell: Tell): void {
  if (NOT_LOOKED_INTO.has(line.name)) return;
  for (const word of line.args) if (hasUrlPassword(word)) tell('url-password', word);
  const found = secretOf(line, parent);
  if (found !== undefined && isLiteral(found.value)) tell(found.kind, found.value);
  for (const inner of line.block) look(inner, line.name, tell);
}

type Announced = { readonly kind: SecretKind; readonly value: Word };

/** What a line announces as a secret, whether it is written out or not. */
function secretOf(line: Directive, parent: string): Announced | undefined {
  const { name, args } = line;
  if (name === 'dns' || name === 'acme_dns') return announce('provider-token', args[1]);
  if (name === 'lb_policy' && args[0]?.text === 'cookie') return announce('secret', args[2]);
  if (name === 'eab') return announce('key', args[1]);
  if (name === 'vars') return announce(kindOfName(args.at(-2)?.text ?? ''), args.at(-1));
  if (name === 'env') return announce(kindOfName(args[0]?.text ?? ''), args[1]);
  return inHeader(line, parent) ?? announce(kindOfName(name), args[0]);
}

/** `header_up Authorization "Bearer …"`, on its own line, in a block of `header`, or in a matcher. */
function inHeader({ name, args }: Directive, parent: string): Announced | undefined {
  if (HEADER_LINES.has(parent)) return announce(kindOfHeader(name), args.at(-1));
  const at = HEADER_LINES.has(name) ? 0 : headerOfMatcher(name, args);
  if (at === undefined) return undefined;
  // A matcher may stand in front of the header's name; the value is what comes last.
  const kind = args
    .slice(at, -1)
    .map(({ text }) => kindOfHeader(text))
    .find((k) => k !== undefined);
  return announce(kind, args.at(-1));
}

/** Where the words behind `header` begin, in `@name not header …` or `not header …`. */
function headerOfMatcher(name: string, args: readonly Word[]): number | undefined {
  if (name !== 'not' && !name.startsWith('@')) return undefined;
  const at = args.findIndex(({ text }) => text !== 'not');
  return args[at]?.text === 'header' ? at + 1 : undefined;
}

function announce(kind: SecretKind | undefined, value: Word | undefined): Announced | undefined {
  return kind === undefined || value === undefined ? undefined : { kind, value };
}
