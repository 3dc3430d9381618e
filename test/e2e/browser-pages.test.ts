// Every page in a real Chromium, with its headers: what it looks like is for people to judge, what it must not
// lack is here.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sendPage, type Page as SignetPage } from '../../sidecar/http/page.ts';
import { createPages } from '../../sidecar/http/pages.ts';
import { parseRequirement } from '../../sidecar/policy/requirement.ts';
import { faintTexts, isTooWide, outlineProblems, tabOrder } from '../fixtures/accessible.ts';
import { startBrowser, type Person, type TestBrowser } from '../fixtures/browser.ts';

const REQUEST_ID = '4d032074-7bbc-4e5d-964f-a0f15a34b6f6';
const pages = createPages();
const choices = [
  { name: 'main', label: 'Example' },
  { name: 'partners', label: 'Donaudampfschifffahrtsgesellschaft' },
];
const forbidden = {
  identity: { user: `${'a'.repeat(100)}@example.com`, name: 'Alice' },
  requirement: parseRequirement('team:payments,search+type:human'),
  reason: 'groups-incomplete' as const,
  requestId: REQUEST_ID,
  returnTo: '/',
};
const failed = { requestId: REQUEST_ID, returnTo: '/', redirectUri: `https://${'a'.repeat(60)}/` };

const PAGES: Record<string, (lang: string) => SignetPage> = {
  forbidden: (lang) => pages.forbidden(lang, forbidden),
  cookies: (lang) => pages.signInFailed(lang, { reason: 'state-missing', ...failed }),
  redirect: (lang) => pages.signInFailed(lang, { reason: 'redirect-uri-refused', ...failed }),
  unavailable: (lang) => pages.signInUnavailable(lang, { why: 'provider', ...failed }),
  misconfigured: (lang) => pages.problem(lang, { problem: 'misconfigured', ...failed }),
  chooser: (lang) => pages.chooser(lang, { choices, returnTo: '/' }),
  'signed-in': (lang) => pages.signedIn(lang),
  'signed-out': (lang) => pages.signedOut(lang, { endHref: 'https://id.example/end' }),
  'confirm-sign-out': (lang) => pages.confirmSignOut(lang, { returnTo: '/' }),
};
const each = Object.keys(PAGES).flatMap(
  (name) =>
    [
      [name, 'en'],
      [name, 'de'],
    ] as const,
);

const WIDTH = "getComputedStyle(document.querySelector('main')).maxWidth";

let browser: TestBrowser;
let person: Person;
let server: Server;
let origin: string;

beforeAll(async () => {
  browser = await startBrowser();
  person = await browser.person();
  server = createServer((request, response) => {
    const [, lang = '', name = ''] = (request.url ?? '').split('/');
    const make = PAGES[name];
    if (make === undefined) response.writeHead(204).end();
    else sendPage(response, 200, make(lang));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await browser.stop();
  server.closeAllConnections();
  server.close();
});

const open = async (name: string, lang: string) => {
  await person.page.goto(`${origin}/${lang}/${name}`);
  return person.page;
};

describe.each(each)('%s, in %s', (name, lang) => {
  test('is one landmark with one heading in one language, and all that can be used has a name', async () => {
    expect(await outlineProblems(await open(name, lang))).toEqual([]);
  });

  test('needs no scrolling sideways at 320 pixels, which is 1,280 at 400 %', async () => {
    const page = await open(name, lang);
    await page.setViewport({ width: 320, height: 640 });
    const wide = await isTooWide(page);
    await page.setViewport({ width: 1280, height: 800 });
    expect(wide).toBe(false);
  });
});

describe.each(Object.keys(PAGES))('%s, whatever its language', (name) => {
  test.each(['light', 'dark'])('has no faint text, %s', async (scheme) => {
    const page = await open(name, 'en');
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    expect(await faintTexts(page)).toEqual([]);
  });

  test('is gone through by Tab in the order in which it is read', async () => {
    const page = await open(name, 'en');
    const inOrder = await page.$$eval('a,button', (all) => all.map((one) => one.textContent));
    expect(await tabOrder(page)).toEqual(inOrder);
  });
});

test('the style is applied: the policy lets it in', async () => {
  const page = await open('signed-in', 'en');
  expect(await page.evaluate(WIDTH)).toMatch(/^\d+px$/);
});

test('a style that is not the page’s own is not: the policy keeps it out', async () => {
  const page = await open('signed-in', 'en');
  await page.evaluate("document.body.innerHTML += '<style>main { max-width: 7px }</style>'");
  expect(await page.evaluate(WIDTH)).not.toBe('7px');
  expect(person.complaints.splice(0).join()).toContain('Content Security Policy');
});

test('without any style, everything is there to be read', async () => {
  const page = await open('forbidden', 'en');
  await page.$eval('style', (style) => style.remove());
  const text = await page.$eval('body', (body) => body.innerText);
  for (const said of ['Alice', 'payments or search', 'Sign out', REQUEST_ID]) {
    expect(text).toContain(said);
  }
});

test('no page makes the browser complain', async () => {
  person.complaints.length = 0;
  for (const [name, lang] of each) await open(name, lang);
  expect(person.complaints).toEqual([]);
});
