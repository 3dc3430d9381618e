// What `signet explain` says of answers that are neither an app's nor the gate's: the sidecar's own pages in a site
// without a gate, and redirects that are pages.
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { readAdapted } from '../../sidecar/edge/adapted.ts';
import { explainRequest, type Told } from '../../sidecar/explain/explain.ts';
import { servedWords, whyWords } from '../../sidecar/explain/words.ts';

function outcomesOf(handle: readonly object[], path: string): readonly Told[] {
  const servers = { srv0: { listen: [':443'], routes: [{ handle }] } };
  const adapted = readAdapted(JSON.stringify({ apps: { http: { servers } } }));
  if ('problem' in adapted) throw new Error(adapted.problem);
  const found = { refused: 'no-credentials' } as const;
  const explained = explainRequest(adapted, {
    method: 'GET',
    url: `https://app.test${path}`,
    found,
  });
  if ('problem' in explained) throw new Error(explained.problem);
  return explained.outcomes;
}

function toldOf(handle: readonly object[], path: string): Told {
  return outcomesOf(handle, path)[0]!;
}

/** A proxy of pages, as `import signet` makes one. */
function pages(header: string, dial = '127.0.0.1:9000'): object {
  const value = `{http.reverse_proxy.header.${header}}`;
  const handle = [{ handler: 'log_append', key: 'stamp', value }, { handler: 'copy_response' }];
  const responses = [{ routes: [{ handle }] }];
  return { handler: 'reverse_proxy', upstreams: [{ dial }], handle_response: responses };
}

test('without any gate the sidecar is where the pages of `import signet` are proxied to', () => {
  expect(whyWords(toldOf([pages('Signet-Stamp')], '/.signet/login'))).toMatch(
    /a page of the sidecar itself/,
  );
});

test('an app under /.signet/ whose answers have no stamp is open to anyone', () => {
  expect(whyWords(toldOf([pages('X-Other')], '/.signet/login'))).toMatch(/anyone is served/);
});

test('where there is a gate, only what is proxied to where it dials is the sidecar’s own', () => {
  const gate = {
    handler: 'reverse_proxy',
    rewrite: { method: 'GET', uri: '/verify?route=a&require=any' },
    upstreams: [{ dial: '127.0.0.1:9000' }],
  };
  const told = toldOf([pages('Signet-Stamp', 'app:3000'), gate], '/.signet/login');
  expect(whyWords(told)).toMatch(/anyone is served/);
});

test('a redirect by a page is told as one', () => {
  const to = 'https://x.test/';
  const body = `<!DOCTYPE html>
<html>
	<head>
		<title>Redirecting...</title>
		<script>window.location.replace("${to}");</script>
		<meta http-equiv="refresh" content="0; URL='${to}'">
	</head>
	<body>Redirecting to <a href="${to}">${to}</a>...</body>
</html>
`;
  const told = toldOf([{ handler: 'static_response', status_code: 200, body }], '/');
  expect([servedWords(told.served), whyWords(told)]).toEqual([
    'a redirect (200, by a page) to https://x.test/',
    'no gate is asked',
  ]);
});

test('each refusal that stands in the snippet is told as one', () => {
  const snippet = readFileSync(new URL('../../caddy/signet.caddy', import.meta.url), 'utf8');
  const [, target = ''] = /^\tredir @signet_refused (\S+) /m.exec(snippet) ?? [];
  const statuses = [...snippet.matchAll(/^\tvars @\w+ signet_refused (\d+)$/gm)];
  expect(statuses.length).toBeGreaterThan(3);
  for (const [, status = ''] of statuses) {
    const Location = [target.replace('{vars.signet_refused}', status)];
    const refusal = { handler: 'static_response', headers: { Location }, status_code: status };
    expect(whyWords(toldOf([refusal], '/x'))).toContain('`import signet` refuses it');
  }
});

test('what holds only where a condition does not is told with that condition turned round', () => {
  const [far, near] = ['far', 'near'].map((body) => [{ handler: 'static_response', body }]);
  const match = [{ not: [{ remote_ip: { ranges: ['10.0.0.0/8'] } }] }];
  const routes = [{ match, handle: far }, { handle: near }];
  const [one, other] = outcomesOf([{ handler: 'subroute', routes }], '/');
  expect(one).toMatchObject({
    served: { body: 'far' },
    when: [['not: it comes from 10.0.0.0/8; say where from by --from']],
  });
  expect(other).toMatchObject({
    served: { body: 'near' },
    when: [['it comes from 10.0.0.0/8; say where from by --from']],
  });
});

test('the same condition and its opposite are settled by one another', () => {
  const match = [{ remote_ip: { ranges: ['10.0.0.0/8'] } }];
  const routes = [
    { match, handle: [{ handler: 'static_response', body: 'near' }] },
    { match: [{ not: match }], handle: [{ handler: 'static_response', body: 'far' }] },
    { handle: [{ handler: 'static_response', body: 'never' }] },
  ];
  const bodies = outcomesOf([{ handler: 'subroute', routes }], '/').map(({ served }) => served);
  expect(bodies).toMatchObject([{ body: 'near' }, { body: 'far' }]);
});
