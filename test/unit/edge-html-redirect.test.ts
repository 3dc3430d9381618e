// The page that `redir TO html` becomes, told from any other text that is served.
import { describe, expect, test } from '@jest/globals';
import { describeHandler } from '../../sidecar/edge/describe.ts';
import { htmlRedirectOf } from '../../sidecar/edge/html-redirect.ts';

/** As Caddy 2.11 adapts it. */
function page(escaped: string) {
  const body = `<!DOCTYPE html>
<html>
	<head>
		<title>Redirecting...</title>
		<script>window.location.replace("${escaped}");</script>
		<meta http-equiv="refresh" content="0; URL='${escaped}'">
	</head>
	<body>Redirecting to <a href="${escaped}">${escaped}</a>...</body>
</html>
`;
  const headers = { 'Content-Type': ['text/html; charset=utf-8'] };
  return { handler: 'static_response', body, headers, status_code: 200 };
}

const TO = 'https://x.example.com';

test('what Caddy makes of `redir TO html` is a redirect, and called so', () => {
  expect(htmlRedirectOf(page(TO))).toBe(TO);
  expect(describeHandler(page(TO))).toBe(`redir ${TO} html`);
});

test('its target is told as it is written in the Caddyfile', () => {
  expect(htmlRedirectOf(page('/a?b=1&amp;c=&#39;&lt;$&amp;&gt;&#34;'))).toBe(`/a?b=1&c='<$&>"`);
});

test('a target of what was asked for, and of the environment, is one', () => {
  const to = 'https://{env.HOST}{http.request.uri}?{http.request.uri.query}';
  expect(htmlRedirectOf(page(to))).toBe(to);
});

describe('none is', () => {
  test.each([
    ['one that shows a file', page('https://{file./etc/hostname}/')],
    ['one that a header leads', page('{http.request.header.X-To}')],
    ['one with a path whose escapes are read', page('https://x.test{http.request.uri.path}')],
    ['one with more behind it', { ...page(TO), body: `${page(TO).body}secret` }],
    ['one of two targets', { ...page(TO), body: page(TO).body.replace(`>${TO}<`, '>secret<') }],
    ['one whose target ends a tag', page('"><p>secret</p>')],
    [
      'one with a header of its own',
      { ...page(TO), headers: { ...page(TO).headers, 'X-A': ['1'] } },
    ],
    ['one of another type', { ...page(TO), headers: { 'Content-Type': ['text/plain'] } }],
    ['one of another handler', { ...page(TO), handler: 'other' }],
  ])('%s', (_name, handler) => {
    expect(htmlRedirectOf(handler)).toBeUndefined();
  });
});
