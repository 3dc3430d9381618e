// A single-page app whose session ends while somebody writes: its script reads 401, lets the person sign in beside the page,
// and asks again. The page is never left.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'puppeteer-core';
import { startBrowser, type Person, type TestBrowser } from '../fixtures/browser.ts';
import { logIn, startBrowserSite, type BrowserSite } from '../fixtures/browser-site.ts';
import { until } from '../fixtures/until.ts';

let site: BrowserSite;
let browser: TestBrowser;
let person: Person;

beforeAll(async () => {
  site = await startBrowserSite();
  browser = await startBrowser({ trusted: [site.authority] });
  person = await browser.person();
  await person.page.goto(`${site.origin}/spa`);
  await logIn(person.page, 'alice');
});

afterAll(async () => {
  await browser?.stop();
  await site?.stop();
});

const said = (page: Page) => page.$eval('#said', (element) => element.textContent);

/** Signet's and the provider's: nobody knows this browser any more. */
async function loseCookies(): Promise<void> {
  await person.context.deleteCookie(...(await person.context.cookies()));
}

test('the script reads where to sign in from a 401, signs in beside the page, and saves what was written', async () => {
  const { page, context } = person;
  await page.type('#draft', 'half a letter');
  await loseCookies();
  await page.click('#save');
  await page.waitForSelector('#sign-in:not([hidden])');
  expect(await said(page)).toMatch(
    /^Bearer realm="signet" \| <\/\.signet\/login\?return=%2F\.signet%2Fsigned-in>; rel="authenticate" \| [0-9a-f-]{36}$/,
  );
  const opened = context.waitForTarget((target) => target.url().startsWith(site.issuer));
  await page.click('#sign-in');
  const beside = await (await opened).page();
  if (beside === null) throw new Error('no window was opened');
  await logIn(beside, 'bob').catch(() => undefined); // the app closes the window as soon as it may
  await until('the letter to be saved', async () => (await said(page)) === 'saved as bob');
  expect(await page.$eval('#draft', (draft) => draft.value)).toBe('half a letter');
  expect(page.url()).toBe(`${site.origin}/spa`);
  await until('the window to be closed', async () => (await context.pages()).length === 1);
});

test('who opens that sign-in without a script is told to close the window', async () => {
  const tab = await person.newTab();
  await tab.goto(`${site.origin}/.signet/login?return=%2F.signet%2Fsigned-in`);
  expect(await tab.$eval('h1', (h1) => h1.textContent)).toBe('You are signed in');
  expect(await tab.$eval('main', (main) => main.innerText)).toContain('close this window');
});
