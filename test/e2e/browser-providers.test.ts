// A person with a real Chromium where two providers sign people in, and both end their own sessions, too.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Page } from 'puppeteer-core';
import { outlineProblems } from '../fixtures/accessible.ts';
import { startBrowser, type Person, type TestBrowser } from '../fixtures/browser.ts';
import { startBrowserSite, type BrowserSite } from '../fixtures/browser-site.ts';
import { startProvider, type TestProvider } from '../fixtures/provider.ts';
import { makeFolder } from '../fixtures/sidecar.ts';

const { folder, remove } = makeFolder();
const providers: TestProvider[] = [];
let site: BrowserSite;
let browser: TestBrowser;
let person: Person;

async function provider(origin: string, callback: string): Promise<Record<string, unknown>> {
  const made = await startProvider({
    redirectUris: [origin + callback],
    postLogoutRedirectUris: [`${origin}/.signet/signed-out`],
    audience: 'https://orders.example',
  });
  const file = join(folder, `secret-${providers.push(made)}`);
  writeFileSync(file, made.clientSecret);
  const { issuer, clientId: client_id } = made;
  return { issuer, client_id, client_secret_file: file, sign_out: 'provider' };
}

beforeAll(async () => {
  site = await startBrowserSite({
    isProviderDown: true,
    settings: async (origin) => {
      const main = await provider(origin, '/.signet/callback');
      const partners = await provider(origin, '/.signet/callback/partners');
      const further = { name: 'partners', label: 'Our partners', ...partners };
      return { ...main, name: 'main', label: 'Example Corp', providers: [further] };
    },
  });
  browser = await startBrowser({ trusted: [site.authority] });
});

afterAll(async () => {
  await browser?.stop();
  await site?.stop();
  await Promise.all(providers.map((one) => one.stop()));
  remove();
});

beforeEach(async () => {
  person = await browser.person();
});

afterEach(() => person.leave());

const heading = (page: Page) => page.$eval('h1', (h1) => h1.textContent);
const untilBack = (page: Page) =>
  page.waitForFunction(
    `location.origin === '${site.origin}' && document.readyState === 'complete'`,
  );

async function press(page: Page, label: string): Promise<void> {
  const button = await page.waitForSelector(`::-p-aria(${label})`);
  await Promise.all([page.waitForNavigation(), button?.click()]);
}

/** This provider's login form has no field to type into: a script makes one. */
async function logInAt(page: Page, at: number, login: string): Promise<void> {
  expect(page.url()).toContain(`${providers[at]?.issuer}/interaction/`);
  await page.$eval(
    'body',
    (body, name) => {
      body.innerHTML = `<form method="post"><input name="login" value="${name}"></form>`;
      body.firstChild.submit();
    },
    login,
  );
  await untilBack(page);
}

async function signInAtPartners(page: Page, path: string): Promise<void> {
  await page.goto(site.origin + path);
  await press(page, 'Continue with Our partners');
  await logInAt(page, 1, 'bob');
}

test('who is signed out chooses among the providers, and comes back from the chosen one to the page asked for', async () => {
  const { page } = person;
  await page.goto(`${site.origin}/orders?page=2`);
  expect(await heading(page)).toBe('How do you want to sign in?');
  expect(await outlineProblems(page)).toEqual([]);
  await press(page, 'Continue with Our partners');
  await logInAt(page, 1, 'bob');
  expect(page.url()).toBe(`${site.origin}/orders?page=2`);
  expect(await heading(page)).toBe('Orders of bob');
});

test('two tabs can sign in at different providers, and both come back to their pages', async () => {
  const other = await person.newTab();
  for (const [at, tab] of [person.page, other].entries()) {
    await tab.bringToFront();
    await tab.goto(`${site.origin}/tab?at=${at}`);
    await press(tab, at === 0 ? 'Continue with Example Corp' : 'Continue with Our partners');
  }
  await logInAt(other, 1, 'bob');
  await person.page.bringToFront();
  await logInAt(person.page, 0, 'alice');
  expect([person.page.url(), other.url()]).toEqual(
    [0, 1].map((at) => `${site.origin}/tab?at=${at}`),
  );
});

test('signing out by the app’s link ends the session at the provider, too, and the page says so', async () => {
  const { page } = person;
  await signInAtPartners(page, '/');
  await Promise.all([page.waitForNavigation(), page.click('#out')]);
  await endAtProvider(page);
  expect(await heading(page)).toBe('You are signed out');
  const text = await page.$eval('main', (main) => main.innerText);
  expect(text).toContain('on this site and at your identity provider');
});

// Chromium applies `form-action 'self'` to what a posted form is redirected to.
test('a posted sign-out leads to the provider, too: by a page, which no policy stops', async () => {
  const { page } = person;
  await signInAtPartners(page, '/');
  await page.goto('about:blank');
  await page.setContent(`<a href="${site.origin}/.signet/logout">out</a>`);
  await Promise.all([page.waitForNavigation(), page.click('a')]);
  await press(page, 'Sign out');
  await page.waitForFunction(`location.origin === '${providers[1]?.issuer}'`);
  await endAtProvider(page);
  expect(await heading(page)).toBe('You are signed out');
  expect(person.complaints.filter((complaint) => complaint.includes('Policy'))).toEqual([]);
});

async function endAtProvider(page: Page): Promise<void> {
  expect(page.url()).toContain(`${providers[1]?.issuer}/`);
  await page.$eval('form', (form) => form.submit()); // it has no button either
  await untilBack(page);
}
