// Reading a Caddyfile: what a line is, where it stands, and by which imports it came.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { tokenize } from '../../sidecar/caddyfile/lexer.ts';
import type { CaddyfileTree, Directive } from '../../sidecar/caddyfile/tree.ts';
import { readFiles, told, treeOf } from '../fixtures/caddyfile-sources.ts';

const words = (text: string, env = {}) => {
  const tokens = tokenize({ text, env, file: 'Caddyfile' });
  return 'problem' in tokens ? tokens.problem : tokens.map((token) => token.text);
};

/** Every line of a tree's sites, the inner ones behind theirs. */
function linesOf(tree: CaddyfileTree): readonly Directive[] {
  const all = (block: readonly Directive[]): readonly Directive[] =>
    block.flatMap((line) => [line, ...all(line.block)]);
  return tree.sites.flatMap((site) => all(site.directives));
}

const named = (tree: CaddyfileTree, name: string) =>
  linesOf(tree).find((line) => line.name === name);

describe('words', () => {
  test('quotes keep blanks and hold escaped quotes', () => {
    expect(words('a "b \\"c\\" \\n" d')).toEqual(['a', 'b "c" \\n', 'd']);
  });

  test('backticks keep everything as it is', () => {
    expect(words('`{"a": "\\n"}`')).toEqual(['{"a": "\\n"}']);
  });

  test('a comment begins a word, and a # within one does not', () => {
    expect(words('a#b # c "d\ne')).toEqual(['a#b', 'e']);
  });

  test('a heredoc loses the indent of its end', () => {
    expect(words('<<END\n\t\ta\n\t\t\tb\n\n\t\tEND c')).toEqual(['a\n\tb\n', 'c']);
  });

  test('<< with a blank behind it is a word', () => {
    expect(words('<< END')).toEqual(['<<', 'END']);
  });

  test('a variable is filled in before anything is read, and its default where it is not set', () => {
    expect(words('{$A}x {$B:b c} {$C}', { A: '1 2' })).toEqual(['1', '2x', 'b', 'c']);
  });

  test('a name of every object is no variable', () => {
    expect(words('{$constructor:x}')).toEqual(['x']);
  });

  test('only words that the environment had part in are marked', () => {
    const tokens = tokenize({ text: 'a{$A} b {$B:c} "{$A}" d', env: { A: 'x' }, file: '' });
    expect(tokens).toEqual(
      [true, false, true, true, false].map((fromEnvironment) =>
        expect.objectContaining({ fromEnvironment }),
      ),
    );
  });
});

describe('lines', () => {
  test('are those of the file, whatever a variable holds', () => {
    const tree = treeOf('a.example {\n\theader X "{$A}"\n\trespond ok\n}\n', { A: '1\n2\n3' });
    expect(told(named(tree, 'respond'))).toBe('Caddyfile:3');
  });

  test('are right behind a variable whose default has lines', () => {
    const tree = treeOf('a.example {\n\theader X "{$A:1\n2}"\n\trespond ok\n}\n', { A: '' });
    expect(told(named(tree, 'respond'))).toBe('Caddyfile:4');
  });

  test('are right behind heredocs, continued lines and carriage returns', () => {
    const tree = treeOf(
      'a.example {\r\n\theader X <<E\n\t\ta\n\t\tE\n\theader Y \\\r\n\t\ty\r\n\trespond ok\r\n}\r\n',
    );
    expect(told(named(tree, 'respond'))).toBe('Caddyfile:7');
  });

  test('a word on a continued line has that line', () => {
    const tree = treeOf('a.example {\n\treverse_proxy one \\\n\t\ttwo\n}\n');
    expect(named(tree, 'reverse_proxy')?.args.map(told)).toEqual(['Caddyfile:2', 'Caddyfile:3']);
  });
});

describe('imports', () => {
  const files = {
    Caddyfile:
      'import lib/a.caddy\na.example {\n\n\timport outer admin {\n\t\trespond ok\n\t}\n}\n',
    'lib/a.caddy':
      '(inner) {\n\theader X {args[0]}\n}\n(outer) {\n\troute {\n\t\timport inner {args[0]}\n\t\t{block}\n\t}\n}\n',
  };

  test('a line of a snippet stands where it is written, and names the imports that led to it', () => {
    const header = named(treeOf(files), 'header');
    expect([told(header), told(header?.importedAt), told(header?.importedAt?.importedAt)]).toEqual([
      'lib/a.caddy:2',
      'lib/a.caddy:6',
      'Caddyfile:4',
    ]);
  });

  test('an import is named with its arguments', () => {
    const route = named(treeOf(files), 'route');
    expect(route?.importedAt).toMatchObject({ name: 'outer', args: ['admin'] });
  });

  test('a block that is handed to a snippet stays where it is written', () => {
    const respond = named(treeOf(files), 'respond');
    expect([told(respond), respond?.importedAt]).toEqual(['Caddyfile:5', undefined]);
  });

  test('an argument has the place of the import that gave it', () => {
    expect(named(treeOf(files), 'header')?.args.map(told)).toEqual([
      'lib/a.caddy:2',
      'Caddyfile:4',
    ]);
  });

  test('every file that was read is named', () => {
    expect(treeOf(files).files.map((file) => told({ file, line: 1 }))).toEqual([
      'Caddyfile:1',
      'lib/a.caddy:1',
    ]);
  });
});

describe('what can not be read is told', () => {
  const problem = (files: Record<string, string>) => {
    const read = readFiles(files);
    return 'problem' in read ? [read.problem.reason, told(read.problem.place)] : 'read';
  };

  test('a file that is not there, at the line that imports it', () => {
    expect(problem({ Caddyfile: '\nimport none\n' })).toEqual(['unreadable', 'Caddyfile:2']);
  });

  test('a circle of files', () => {
    expect(problem({ Caddyfile: 'import a', a: 'import b', b: '\nimport a' })).toEqual([
      'import-cycle',
      'b:2',
    ]);
  });

  test('snippets that double each other', () => {
    const doubling = Array.from(
      { length: 60 },
      (_, at) => `(s${at + 1}) {\n import s${at}\n import s${at}\n}\n`,
    );
    const Caddyfile = `(s0) {\n respond x\n}\n${doubling.join('')}a.example {\n import s60\n}\n`;
    expect(problem({ Caddyfile })).toEqual(['too-large', expect.anything()]);
  });

  test('arguments that double each other', () => {
    const doubling = Array.from(
      { length: 60 },
      (_, at) => `(s${at + 1}) {\n import s${at} {args[0]}{args[0]}\n}\n`,
    );
    const Caddyfile = `(s0) {\n respond {args[0]}\n}\n${doubling.join('')}a.example {\n import s60 xx\n}\n`;
    expect(problem({ Caddyfile })).toEqual(['too-large', expect.anything()]);
  });

  test('a block that is asked for again and again', () => {
    const many = '{block}\n'.repeat(2_000);
    const Caddyfile = `(s) {\n${many}}\na.example {\n import s {\n${'respond\n'.repeat(2_000)}}\n}\n`;
    expect(problem({ Caddyfile })).toEqual(['too-large', expect.anything()]);
  });

  test('imports deep in imports', () => {
    const chain = Array.from({ length: 2_000 }, (_, at) => `(s${at + 1}) {\n import s${at}\n}\n`);
    const Caddyfile = `(s0) {\n respond x\n}\n${chain.join('')}a.example {\n import s2000\n}\n`;
    expect(problem({ Caddyfile })).toEqual(['too-large', expect.anything()]);
  });

  test('blocks deep in blocks', () => {
    const Caddyfile = `a.example {\n${'handle {\n'.repeat(100_000)}${'}\n'.repeat(100_000)}}\n`;
    expect(problem({ Caddyfile })).toEqual(['too-large', expect.anything()]);
  });

  test('what the reader of files throws', () => {
    const read = readFiles({ Caddyfile: 'import a*\n' });
    expect(read).toHaveProperty('tree');
    expect(problem({})).toEqual(['unreadable', 'Caddyfile:1']);
  });
});

const bit = fc.constantFrom(
  ...['{', '}', '"', '`', '\\', '\n', '\r\n', ' ', '\t', '#', ',', '(a)', '&(a)', '@a', '<<E', 'E'],
  ...[
    'import ',
    'import a',
    '{block}',
    '{blocks.a}',
    '{args[0]}',
    '{args[:]}',
    '{$A}',
    '{$A:',
    '{}',
  ],
  ...[
    '\nimport a {\n',
    '\n}\n',
    ' {\n',
    'x',
    '\uFEFF',
    '\0',
    '\u0085',
    '😀',
    '\uD800',
    '*',
    '[',
    ']',
  ],
);
const hostile = fc.array(bit, { maxLength: 60 }).map((bits) => bits.join(''));

test('no text makes it throw', () => {
  fc.assert(
    fc.property(hostile, hostile, hostile, (text, imported, value) => {
      const read = readFiles({ Caddyfile: text, a: imported }, { A: value });
      expect('tree' in read || read.problem.message !== '').toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

// Fifty times as much must not take five hundred times as long; the smallest of a few runs is compared.
test.each([
  ['words', 'a '],
  ['one word', 'a'],
  ['quotes', '"a'],
  ['backslashes', '\\'],
  ['openings of heredocs', '\n<<E\na'],
  ['ends of heredocs that are none', '\n<<EEEE\nEEE'],
  ['variables', '{$A'],
  ['variables with an end', '{$A}'],
  ['braces', '{'],
  ['arguments', '{args[0'],
  ['brackets in an import', 'import [', '\n'],
  ['commas', 'a,'],
  ['imports', '\nimport a'],
])('many %s take time in proportion', (_name, piece, end = '') => {
  const cost = (count: number) => {
    const Caddyfile = `(a) {\n}\nb.example {\n import a "${'x'}"\n${piece.repeat(count)}${end}`;
    const runs = [0, 1, 2].map(() => {
      const start = process.cpuUsage();
      readFiles({ Caddyfile }, { A: 'x' });
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1_000;
    });
    return Math.min(...runs);
  };
  expect(cost(100_000)).toBeLessThan(Math.max(1_500, cost(2_000) * 500));
});
