// The way back from the adapted configuration to the line: the right one, or none.
import { describe, expect, test } from '@jest/globals';
import { locate, placeOutside, type Wanted } from '../../sidecar/caddyfile/locate.ts';
import { told, treeOf } from '../fixtures/caddyfile-sources.ts';

const files = {
  Caddyfile: `{
	admin 0.0.0.0:2019
	servers {
		max_header_size 32KiB
	}
}
import signet.caddy
&(shared) {
	reverse_proxy app:9
}
A.example, b.example:8443 {
	@staff path /staff* /intern*
	handle /admin* {
		import protect admin role:admin {
			reverse_proxy app:3000
		}
	}
	handle @staff {
		import protect staff any {
			reverse_proxy app:3000
		}
	}
	handle {
		respond "go away" 403
	}
	reverse_proxy /raw/* http://raw
}
c.example {
	handle {
		reverse_proxy app:3000
	}
	handle {
		reverse_proxy {host}:80
	}
}
:8080 {
	respond ok
}
`,
  'signet.caddy': `(protect) {
	route {
		log_append <route {args[0]}
		reverse_proxy gate:9000
		{block}
	}
}
`,
};

const tree = treeOf(files);
const at = (wanted: Wanted) => told(locate(tree, wanted));
const proxy = ['reverse_proxy'];
const A = ['a.example'];

describe('a site', () => {
  test('is found by its hosts, in lower case', () => {
    expect(at({ hosts: A, port: '443' })).toBe('Caddyfile:11');
  });

  test('is not found by a port that it is not served on', () => {
    expect(at({ hosts: A, port: '8443' })).toBeUndefined();
  });

  test('without hosts is the one that has no host matcher', () => {
    expect(at({ hosts: [] })).toBe('Caddyfile:36');
  });

  test('is not guessed', () => {
    expect(at({})).toBeUndefined();
  });
});

describe('a line', () => {
  test('is found by a path around it', () => {
    expect(at({ hosts: A, directives: proxy, words: ['app:3000'], within: ['/admin*'] })).toBe(
      'Caddyfile:15',
    );
  });

  test.each(['@staff', 'staff', '/intern*', 'any'])('is found by %s around it', (within) => {
    expect(at({ hosts: A, directives: proxy, words: ['app:3000'], within: [within] })).toBe(
      'Caddyfile:20',
    );
  });

  test('is found by a path of its own', () => {
    expect(at({ hosts: A, directives: proxy, within: ['/raw/*'] })).toBe('Caddyfile:26');
  });

  test('is found by what Caddy made of its words', () => {
    expect(at({ hosts: A, directives: proxy, words: ['raw:80'] })).toBe('Caddyfile:26');
    expect(at({ directives: proxy, words: ['{http.request.host}:80'] })).toBe('Caddyfile:33');
  });

  test('around others is found by what stands in its block', () => {
    expect(at({ hosts: A, directives: ['handle'], words: ['403'] })).toBe('Caddyfile:23');
  });

  test('that fits several times in a site is the first, or the nth', () => {
    const wanted = { hosts: A, directives: proxy, words: ['app:3000'] };
    expect([at(wanted), at({ ...wanted, nth: 1 }), at({ ...wanted, nth: 2 })]).toEqual([
      'Caddyfile:15',
      'Caddyfile:20',
      undefined,
    ]);
  });

  test('that fits in two sites is none', () => {
    expect(at({ directives: proxy, words: ['app:3000'] })).toBeUndefined();
  });

  test('with none of the words is none', () => {
    expect(at({ hosts: A, directives: proxy, words: ['other:1'] })).toBeUndefined();
  });

  test('that stands nowhere of what is asked is none', () => {
    expect(at({ hosts: A, directives: proxy, within: ['/elsewhere'] })).toBeUndefined();
  });

  test('of a snippet names the import that led to it', () => {
    const gate = locate(tree, { directives: proxy, words: ['gate:9000'], within: ['admin'] });
    expect([told(gate), told(gate?.importedAt)]).toEqual(['signet.caddy:4', 'Caddyfile:14']);
    expect(told(placeOutside(gate!, (file) => file.endsWith('signet.caddy')))).toBe('Caddyfile:14');
  });
});

test('a global option is found at any depth', () => {
  expect([at({ global: '' }), at({ global: 'admin' }), at({ global: 'max_header_size' })]).toEqual([
    'Caddyfile:1',
    'Caddyfile:2',
    'Caddyfile:4',
  ]);
  expect(at({ global: 'email' })).toBeUndefined();
});

test('a named route and its lines are found', () => {
  expect(at({ namedRoute: 'shared' })).toBe('Caddyfile:8');
  expect(at({ namedRoute: 'shared', directives: proxy })).toBe('Caddyfile:9');
});

test('without global options nothing global is found', () => {
  expect(locate(treeOf('a.example\n'), { global: 'admin' })).toBeUndefined();
});
