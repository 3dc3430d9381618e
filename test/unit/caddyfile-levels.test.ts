// A line is told only where the conditions around it are those of the configuration.
import { describe, expect, test } from '@jest/globals';
import { madeOf, type Level } from '../../sidecar/caddyfile/levels.ts';
import { locate } from '../../sidecar/caddyfile/locate.ts';
import { told, treeOf } from '../fixtures/caddyfile-sources.ts';

const tree = treeOf(`a.example
@named path /named/* /more
@both {
	path /both/*
	method GET
}
@text \`path('/text')\`
@no not path /no/*
handle @named {
	reverse_proxy app:1
}
handle @both {
	reverse_proxy app:1
}
handle @text {
	reverse_proxy app:1
}
handle /outer/* {
	reverse_proxy /outer/inner/* app:1
	reverse_proxy app:1
}
reverse_proxy @no app:1
reverse_proxy * app:1
handle /twice {
	respond "a" 200
	respond "b" 200
}
php_fastcgi /php/* app:2
rewrite /target
rewrite /from /target
handle_errors 404 5xx {
	reverse_proxy app:1
}
`);

const path = (...texts: string[]): Level => madeOf([['path', texts]]);
const at = (levels: readonly Level[], directive = 'reverse_proxy') =>
  told(locate(tree, { directives: [directive], levels }));

describe('the line is that of the same conditions', () => {
  test.each([
    ['none', [], 23],
    ['a named matcher', [path('/more', '/named/*')], 10],
    [
      'a named matcher of several',
      [
        madeOf([
          ['method', ['GET']],
          ['path', ['/both/*']],
        ]),
      ],
      13,
    ],
    ['an expression', [madeOf([['expression', []]])], 16],
    ['one within another', [path('/outer/*'), path('/outer/inner/*')], 19],
    ['the outer one alone', [path('/outer/*')], 20],
    [
      'a negation',
      [
        madeOf([
          ['not', []],
          ['path', ['/no/*']],
        ]),
      ],
      22,
    ],
    ['statuses', [madeOf([['handle_errors', ['5xx', '404']]])], 32],
  ])('%s', (_name, levels, line) => {
    expect(at(levels)).toBe(`Caddyfile:${line}`);
  });
});

describe('no line is told', () => {
  test.each([
    ['of another path', [path('/other/*')]],
    ['of one path of two', [path('/named/*')]],
    ['of what stands deeper', [path('/outer/inner/*')]],
    ['of what stands less deep', [path('/outer/*'), path('/outer/inner/*'), path('/x')]],
  ])('%s', (_name, levels) => {
    expect(at(levels)).toBeUndefined();
  });
});

test('of several lines under the same conditions none is told', () => {
  expect(at([path('/twice')], 'respond')).toBeUndefined();
});

test('what Caddy makes several conditions of is found by the outer ones', () => {
  const own = [path('/php/*'), madeOf([['path', ['*.php']]])];
  expect(at(own, 'php_fastcgi')).toBe('Caddyfile:28');
});

test('the only argument of a rewrite is no matcher', () => {
  expect([at([], 'rewrite'), at([path('/from')], 'rewrite')]).toEqual([
    'Caddyfile:29',
    'Caddyfile:30',
  ]);
});
