// The pages: every value is text, the style is the one that the policy allows, each reason has words, in each language.
import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { textProblems } from '../../sidecar/http/catalogue.ts';
import { chooseLanguage } from '../../sidecar/http/language.ts';
import { createPages } from '../../sidecar/http/pages.ts';
import { GERMAN } from '../../sidecar/http/texts-de.ts';
import { ENGLISH, placesIn, type TextKey } from '../../sidecar/http/texts.ts';
import { SIGN_IN_REASONS } from '../../sidecar/identity/reason.ts';
import { parseRequirement } from '../../sidecar/policy/requirement.ts';

const MARKUP = `<img src=x onerror="alert('1')">&`;
const ESCAPED = '&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;';
const pages = createPages();

const forbidden = (require: string, changes = {}) => ({
  identity: { user: 'alice', name: 'Alice' },
  requirement: parseRequirement(require),
  reason: 'role-not-allowed' as const,
  requestId: '4d032074',
  returnTo: '/admin?a=1&b=2',
  ...changes,
});
const textOf = (html: string) => html.replace(/<style>[^]*<\/style>/, '').replace(/<[^>]*>/g, ' ');

test('whatever is put into a page is shown as text', () => {
  const identity = { user: MARKUP, name: MARKUP };
  const made = [
    pages.forbidden('en', forbidden('any', { identity })),
    pages.problem('en', { problem: 'uncheckable', requestId: MARKUP }),
    pages.chooser('en', { choices: [{ name: MARKUP, label: MARKUP }], returnTo: MARKUP }),
    pages.signInFailed('en', { reason: 'provider-refused', detail: MARKUP, returnTo: '/' }),
    pages.leaving('en', { to: `https://id.example/${MARKUP}` }),
    createPages({ texts: { en: { 'signed-out.title': MARKUP } } }).signedOut('en'),
  ];
  for (const { html } of made) {
    expect(html).not.toContain('<img');
    expect(html).toContain(ESCAPED);
  }
});

test('a value that looks like a place of a text stays as it is', () => {
  const identity = { user: '{requirement}', name: '{user}' };
  expect(pages.forbidden('en', forbidden('any', { identity })).html).toContain(
    '{user} ({requirement})',
  );
});

test.each(['a{}\r\nb{}\r\n', 'a{}\rb{}\r', 'a{}\nb{}\r\n'])(
  'line ends are as browsers make them before they hash (HTML standard, 13.2.3.5): %j',
  (css) => {
    const own = createPages({ css }).signedIn('en');
    expect(own).toEqual(createPages({ css: 'a{}\nb{}\n' }).signedIn('en'));
    expect(own.html).not.toContain('\r');
  },
);

test.each([
  ['the built-in style', undefined],
  ['the operator’s', 'body{color:green}'],
])('%s is the only thing that the Content-Security-Policy lets in, by its hash', (_, css) => {
  const { html, headers } = createPages({ css }).signedIn('en');
  const style = /<style>([^]*)<\/style>/.exec(html)?.[1] ?? '';
  const hash = createHash('sha256').update(style).digest('base64');
  expect(css ?? style).toBe(style);
  expect(headers['Content-Security-Policy']).toBe(
    `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  );
});

test('no page has a script, and each is one language, one landmark and one heading', () => {
  for (const { html } of everyPage('de')) {
    expect(html).not.toMatch(/<script|\son\w+=|javascript:/i);
    for (const once of ['<html lang="de">', '<main', '<h1>', '<title>']) {
      expect(html.split(once)).toHaveLength(2);
    }
  }
});

test('only the page with a form tells where its form is posted from', () => {
  expect(pages.confirmSignOut('en', { returnTo: '/' }).headers['Referrer-Policy']).toBe(
    'same-origin',
  );
  expect(pages.signedOut('en').headers['Referrer-Policy']).toBe('no-referrer');
});

test('the page for the known but not allowed says who, what it takes, and the id to quote', () => {
  const { html } = pages.forbidden('en', forbidden('role:admin+type:human'));
  expect(html).toContain('Alice (alice)');
  expect(html).toContain('you need to have the role admin and be a person, not an agent.');
  expect(html).toContain('4d032074');
  const href = '/.signet/login?prompt=login&amp;return=%2Fadmin%3Fa%3D1%26b%3D2';
  expect(html).toContain(`href="${href}"`);
});

test.each([
  ['user:alice', 'Alice sein'],
  ['team:a,b', 'im Team a oder b sein'],
  ['role:x+scope:y', 'die Rolle x haben und die Berechtigung (scope) y haben'],
  ['idp:okta', 'sich mit okta anmelden'],
  ['type:human', 'ein Mensch sein, kein Agent'],
  ['type:human,agent', 'vom Typ human oder agent sein'],
  ['actors:0', 'selbst kommen, ohne dass ein Agent für Sie handelt'],
  ['actors:2', 'höchstens 2 haben, die für Sie handeln'],
  ['any', 'angemeldet sein'],
])('%s is said in the reader’s language', (require, said) => {
  const { html } = pages.forbidden('de', forbidden(require));
  expect(html).toContain(`müssen Sie ${said.replace('Alice', 'alice')}.`);
});

test('groups that the provider left out are named as such, to the person and to the operator', () => {
  const reason = 'groups-incomplete' as const;
  const text = textOf(pages.forbidden('en', forbidden('team:a', { reason })).html);
  expect(text).toContain('left your groups out of its answer');
  expect(text).toContain('groups overage of Entra ID');
});

describe.each(['en', 'de'])('a refused sign-in, in %s', (lang) => {
  test.each(SIGN_IN_REASONS)('%s is explained in a sentence, without the word itself', (reason) => {
    const { html } = pages.signInFailed(lang, { reason, requestId: '4d032074', returnTo: '/a' });
    expect(html).toMatch(/<p>[A-Z][^<]{20,}\.<\/p>/);
    expect(html).not.toContain(reason);
    expect(html).toContain('4d032074');
  });
});

test.each([
  ['clock-off', 'The clocks of two servers disagree', 'NTP'],
  ['redirect-uri-refused', 'does not know this address', 'https://a.example/.signet/callback'],
  ['id-token-audience', 'for another application', 'client_id'],
  ['state-missing', 'Your browser may block cookies', 'Set-Cookie'],
] as const)(
  '%s is named to the person, and the operator is told what to do',
  (reason, named, told) => {
    const redirectUri = 'https://a.example/.signet/callback';
    const { html } = pages.signInFailed('en', { reason, returnTo: '/', redirectUri });
    expect(textOf(html)).toContain(named);
    expect(textOf(html)).toContain(told);
  },
);

test('the provider’s own words are shown only when it was the provider who refused', () => {
  const failed = (reason: 'provider-refused' | 'code-refused') =>
    pages.signInFailed('en', { reason, detail: 'not today', returnTo: '/' }).html;
  expect(failed('provider-refused')).toContain('It said: not today');
  expect(failed('code-refused')).not.toContain('not today');
});

test.each(['misconfigured', 'uncheckable'] as const)(
  'a page that is %s can be tried again, and says what whoever runs the site can do',
  (problem) => {
    const { html } = pages.problem('en', { problem, requestId: '4d032074' });
    expect(html).toContain('<a class="action" href="">Try again</a>');
    expect(textOf(html)).toContain('For whoever runs this site:');
  },
);

test.each(['provider', 'store'] as const)(
  'while the %s is down, the page says where whoever runs the site looks',
  (why) => {
    const { html } = pages.signInUnavailable('en', { why, returnTo: '/a' });
    expect(html).toContain('href="/.signet/login?return=%2Fa"');
    expect(textOf(html)).toContain('For whoever runs this site: `/readyz`');
  },
);

test('the chooser has a link for each provider, back to the page asked for', () => {
  const choices = [{ name: 'main', label: 'Okta' }, { name: 'partners', label: 'Partners' }]; // prettier-ignore
  const { html } = pages.chooser('en', { choices, returnTo: '/a?b=1' });
  expect(textOf(html)).toContain('Continue with Partners');
  expect(html).toContain('href="/.signet/login?idp=partners&amp;return=%2Fa%3Fb%3D1"');
});

test('signing out at the provider is offered only where there is a place to do so', () => {
  const there = 'Sign out at the identity provider';
  expect(pages.signedOut('en').html).not.toContain(there);
  expect(pages.signedOut('en', { endHref: 'https://id.example/end' }).html).toContain(there);
  expect(pages.signedOut('en', { atProvider: true }).html).toContain(
    'and at your identity provider',
  );
});

describe('the catalogue', () => {
  test.each(Object.keys(ENGLISH) as TextKey[])('%s fills the same places in German', (key) => {
    expect(placesIn(GERMAN[key])).toEqual(placesIn(ENGLISH[key]));
  });

  test('an operator’s words replace ours, one by one', () => {
    const own = createPages({ texts: { en: { 'signed-in.title': 'Welcome back' } } });
    expect(own.signedIn('en').html).toContain('<h1>Welcome back</h1>');
    expect(own.signedIn('en').html).toContain(ENGLISH['signed-in.text']);
    expect(own.signedIn('de').html).toContain(GERMAN['signed-in.title']);
  });

  test('a new language is chosen by its readers, written its way, and English where it says nothing', () => {
    const own = createPages({ texts: { ar: { 'signed-in.title': 'أهلا' }, 'de-CH': {} } });
    expect(own.signedIn('ar').html).toContain('<html lang="ar" dir="rtl">');
    expect(own.signedIn('ar').html).toContain(ENGLISH['signed-in.text']);
    expect(own.signedIn('de-CH').html).toContain(GERMAN['signed-in.text']);
    expect(own.signedIn('de-CH').headers['Content-Language']).toBe('de-CH');
  });

  test('what a new language leaves out is the operator’s own in the file’s first one, then Signet’s', () => {
    const own = createPages({
      texts: { de: { 'signed-in.title': 'Da sind Sie' }, fr: { 'signed-out.title': 'Parti' } },
    });
    expect(own.signedIn('fr').html).toContain('<h1>Da sind Sie</h1>');
    expect(own.signedIn('fr').html).toContain(GERMAN['signed-in.text']);
  });

  test('what de-AT leaves out is the operator’s own German before that of Signet', () => {
    const own = createPages({
      texts: { fr: {}, de: { 'signed-in.title': 'Da sind Sie' }, 'de-AT': {} },
    });
    expect(own.signedIn('de-AT').html).toContain('<h1>Da sind Sie</h1>');
    expect(own.signedIn('de-AT').html).toContain('<html lang="de-AT">');
    expect(own.signedOut('de-AT').html).toContain(GERMAN['signed-out.title']);
  });

  test('another language’s words never stand where Signet has the reader’s', () => {
    const own = createPages({ texts: { fr: { 'signed-in.title': 'Voilà' }, de: {} } });
    expect(own.signedIn('de').html).toContain(GERMAN['signed-in.title']);
  });

  test('a page says the language that its title is in, whatever was asked for', () => {
    const own = createPages({ texts: { ar: { 'signed-in.title': 'أهلا' } } });
    expect(own.signedIn('ar').headers['Content-Language']).toBe('ar');
    expect(own.signedOut('ar').headers['Content-Language']).toBe('en');
    expect(own.signedOut('ar').html).toContain('<html lang="en">\n');
  });

  test('the file’s first language is for those whose own there isn’t', () => {
    const own = createPages({ texts: { de: {} } });
    expect(own.signedIn('fr').html).toContain('<html lang="de">');
    expect(pages.signedIn('fr').html).toContain('<html lang="en">');
  });

  test('an unknown key, place or language is a mistake, and each is named', () => {
    const texts = { en: { 'signed-in.titel': 'x', 'forbidden.who': 'You are {name}.' }, 'e n': {} };
    expect(textProblems(texts)).toEqual([
      expect.stringContaining('en.signed-in.titel is no text'),
      expect.stringContaining('en.forbidden.who has the place {name}, and there is {user}'),
      expect.stringContaining('e n is no language tag'),
    ]);
    expect(() => createPages({ texts })).toThrow(expect.objectContaining({ code: 'ERR_CONFIG' }));
  });

  test('a style that would end itself within the page is refused', () => {
    expect(() => createPages({ css: 'a{}</STYLE><script>' })).toThrow(
      'would end it within the page',
    );
  });

  test('a style with a NUL, which browsers replace, is refused', () => {
    expect(() => createPages({ css: 'a{}\0' })).toThrow('holds a NUL');
  });
});

describe('Accept-Language', () => {
  test.each([
    [undefined, 'en'],
    ['', 'en'],
    ['de', 'de'],
    ['de-AT', 'de'],
    ['DE-at, en;q=0.5', 'de'],
    ['fr, de;q=0.8, en;q=0.9', 'en'],
    ['fr;q=0.9, de;q=0.8', 'de'],
    ['de;q=0, en', 'en'],
    ['de;q=0', 'en'],
    ['*', 'en'],
    ['fr, *;q=0.1', 'en'],
    ['de;q=2, \u0000, ;;;, en-', 'en'],
    ['d'.repeat(100_000), 'en'],
    [`${'x-y,'.repeat(100)}de`, 'en'],
  ])('%j is answered in %s', (header, language) => {
    expect(chooseLanguage(header, ['en', 'de'])).toBe(language);
  });
});

function everyPage(lang: string) {
  return [
    pages.forbidden(lang, forbidden('any')),
    pages.problem(lang, { problem: 'misconfigured' }),
    pages.problem(lang, { problem: 'foreign-sign-out' }),
    pages.signInFailed(lang, { reason: 'clock-off', returnTo: '/' }),
    pages.signInUnavailable(lang, { why: 'store', returnTo: '/' }),
    pages.chooser(lang, { choices: [{ name: 'a', label: 'A' }], returnTo: '/' }),
    pages.signedIn(lang),
    pages.signedOut(lang, { endHref: 'https://id.example/end' }),
    pages.leaving(lang, { to: 'https://id.example/end' }),
    pages.confirmSignOut(lang, { returnTo: '/' }),
  ];
}
