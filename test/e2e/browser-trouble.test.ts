// A person with a real Chromium where something is in the way: cookies blocked, a provider that is down.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'puppeteer-core';
import { outlineProblems } from '../fixtures/accessible.ts';
import { startBrowser, type TestBrowser } from '../fixtures/browser.ts';
import { logIn, startBrowserSite, type BrowserSite } from '../fixtures/browser-site.ts';

let blocked: BrowserSite;
let site: BrowserSite;
let browser: TestBrowser;

beforeAll(async () => {
  blocked = await startBrowserSite();
  site = await startBrowserSite({ isProviderDown: true });
  browser = await startBrowser({
    trusted: [blocked.authority, site.authority],
    cookiesBlockedFor: [blocked.origin],
  });
});

afterAll(async () => {
  await browser?.stop();
  await Promise.all([blocked?.stop(), site?.stop()]);
});

const heading = (page: Page) => page.$eval('h1', (h1) => h1.textContent);
const textOf = (page: Page) => page.$eval('main', (main) => main.innerText);

async function tryAgain(page: Page): Promise<void> {
  await Promise.all([page.waitForNavigation(), page.click('.action')]);
}

test('with cookies blocked, one page says so, with the request id, and nothing loops', async () => {
  const { page } = await browser.person();
  let redirects = 0;
  page.on('response', (response) => {
    if (response.status() === 302 && response.url().startsWith(blocked.origin)) redirects += 1;
  });
  await page.goto(`${blocked.origin}/orders?page=2`);
  await logIn(page, 'alice');
  expect(await heading(page)).toBe('Your browser may block cookies');
  expect(await textOf(page)).toMatch(/Request id: [0-9a-f-]{36}/);
  expect(redirects).toBe(2);
  expect(await outlineProblems(page)).toEqual([]);
  await tryAgain(page);
  expect(await heading(page)).toBe('Your browser may block cookies');
});

test('with the provider down, a page says so, and its link leads on once the provider is back', async () => {
  const { page } = await browser.person();
  await page.goto(`${site.origin}/orders?page=2`);
  expect(await heading(page)).toBe('Signing in is not possible right now');
  expect(await outlineProblems(page)).toEqual([]);
  await site.startProvider();
  while (await page.$('.action')) await tryAgain(page);
  await logIn(page, 'alice');
  expect(page.url()).toBe(`${site.origin}/orders?page=2`);
});

// After the test before: its provider is there now.
test('a provider that is gone when the browser comes back is told, and the next sign-in works', async () => {
  const { page } = await browser.person();
  await page.setRequestInterception(true);
  page.on('request', (request) => {
    const isCallback = request.url().includes('/.signet/callback');
    const ready = isCallback && request.url().includes('code=') ? site.stopProvider() : undefined;
    void Promise.resolve(ready).then(() => request.continue());
  });
  await page.goto(`${site.origin}/orders?page=3`);
  await logIn(page, 'alice');
  expect(await heading(page)).toBe('Signing in is not possible right now');
  await page.setRequestInterception(false);
  page.removeAllListeners('request');
  await site.startProvider();
  await tryAgain(page);
  await logIn(page, 'alice');
  expect(page.url()).toBe(`${site.origin}/orders?page=3`);
});
