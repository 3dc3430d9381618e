// The pages: every value is text, the style is the one that the policy allows, each reason has words.
import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import {
  forbiddenPage,
  page,
  pageHeaders,
  problemPage,
  signInFailedPage,
} from '../../sidecar/http/pages.ts';
import { inWords, parseRequirement } from '../../sidecar/policy/requirement.ts';
import { SIGN_IN_REASONS } from '../../sidecar/identity/reason.ts';

const MARKUP = `<img src=x onerror="alert('1')">&`;

test('whatever is put into a page is shown as text', () => {
  const pages = [
    forbiddenPage({
      identity: { user: MARKUP, name: MARKUP },
      requirementInWords: MARKUP,
      requestId: MARKUP,
      returnTo: MARKUP,
    }),
    problemPage({ title: MARKUP, text: MARKUP, requestId: MARKUP }),
    page({ title: MARKUP, paragraphs: [MARKUP], actions: [{ label: MARKUP, href: MARKUP }] }),
    signInFailedPage({ reason: 'provider-refused', detail: MARKUP, returnTo: MARKUP }),
  ];
  for (const html of pages) {
    expect(html).not.toContain('<img');
    expect(html).toContain('&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;');
  }
});

test('the style is the one that the Content-Security-Policy names by its hash', () => {
  const html = page({ title: 't', paragraphs: [] });
  const style = /<style>([^]*)<\/style>/.exec(html)?.[1] ?? '';
  const hash = createHash('sha256').update(style).digest('base64');
  expect(pageHeaders()['Content-Security-Policy']).toContain(`'sha256-${hash}'`);
});

test('the page for the known but not allowed says who, what it takes, and the id to quote', () => {
  const html = forbiddenPage({
    identity: { user: 'alice', name: 'Alice' },
    requirementInWords: inWords(parseRequirement('role:admin+type:human')),
    requestId: '4d032074',
    returnTo: '/admin?a=1&b=2',
  });
  expect(html).toContain('Alice (alice)');
  expect(html).toContain('you need to have the role admin and be of the type human.');
  expect(html).toContain('4d032074');
  const href = '/.signet/login?prompt=login&amp;return=%2Fadmin%3Fa%3D1%26b%3D2';
  expect(html).toContain(`href="${href}"`);
});

test.each(SIGN_IN_REASONS)('%s is explained in a sentence, without the word itself', (reason) => {
  const html = signInFailedPage({ reason, returnTo: '/' });
  expect(/<p>[A-Z][^<]{20,}\.<\/p>/.test(html)).toBe(true);
  expect(html).not.toContain(reason);
});
