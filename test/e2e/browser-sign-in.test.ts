// A person with a real Chromium at a real site: signing in, going on, going back, signing out.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { HTTPResponse, Page } from 'puppeteer-core';
import { outlineProblems } from '../fixtures/accessible.ts';
import { startBrowser, type Person, type TestBrowser } from '../fixtures/browser.ts';
import { logIn, startBrowserSite, type BrowserSite } from '../fixtures/browser-site.ts';

let site: BrowserSite;
let browser: TestBrowser;
let person: Person;

beforeAll(async () => {
  site = await startBrowserSite();
  browser = await startBrowser({ trusted: [site.authority] });
});

afterAll(async () => {
  await browser?.stop();
  await site?.stop();
});

beforeEach(async () => {
  person = await browser.person();
});

afterEach(() => person.leave());

const heading = (page: Page) => page.$eval('h1', (h1) => h1.textContent);
const pathOf = (page: Page) => page.url().slice(site.origin.length);

/** Returns the paths of the redirects on the way to an answer. */
async function wayOf(opening: Promise<HTTPResponse | null>): Promise<string[]> {
  const redirects = (await opening)?.request().redirectChain() ?? [];
  return redirects.map((request) => new URL(request.url()).pathname);
}

async function signIn(page: Page, path = '/', login = 'alice'): Promise<void> {
  await page.goto(site.origin + path);
  await logIn(page, login);
}

async function press(page: Page, label: string): Promise<void> {
  const button = await page.waitForSelector(`::-p-aria(${label})`);
  await Promise.all([page.waitForNavigation(), button?.click()]);
}

test('a person comes back to the page asked for, its query as it was', async () => {
  const path = '/orders;v=1/%7Ea?page=2&next=%2Fb%3Fc%3D1&empty=&plus=a+b';
  await signIn(person.page, path);
  expect(pathOf(person.page)).toBe(path);
  expect(await heading(person.page)).toBe('Orders of alice');
  expect(site.seen).toContain(`GET ${path}`);
});

test('several tabs that were sent to sign in at once all come back to their own pages', async () => {
  const tabs = [person.page, await person.newTab(), await person.newTab()];
  for (const [at, tab] of tabs.entries()) await tab.goto(`${site.origin}/tab?at=${at}`);
  for (const tab of tabs.toReversed()) {
    await tab.bringToFront();
    await logIn(tab, 'alice');
  }
  expect(tabs.map(pathOf)).toEqual(['/tab?at=0', '/tab?at=1', '/tab?at=2']);
});

test('going back after signing in ends on a page of the app or says that it is finished, and never loops', async () => {
  await signIn(person.page, '/first');
  await person.page.goBack();
  await person.page.goForward();
  expect(await heading(person.page)).toBe('Orders of alice');
});

test('the callback once more, as by a reload that is sent twice, says what happened and leads on', async () => {
  let callback = '';
  person.page.on('request', (request) => {
    if (request.url().includes('/.signet/callback')) callback = request.url();
  });
  await signIn(person.page, '/once');
  await person.page.goto(callback);
  expect(await heading(person.page)).toMatch(/finished already|may block cookies|another sign-in/);
  await press(person.page, 'Try again');
  expect(await heading(person.page)).toBe('Orders of alice');
});

test('signing out by the app’s link ends the session, and the page says so', async () => {
  await signIn(person.page);
  await Promise.all([person.page.waitForNavigation(), person.page.click('#out')]);
  expect(pathOf(person.page)).toMatch(/^\/\.signet\/signed-out/);
  expect(await heading(person.page)).toBe('You are signed out');
  expect(await outlineProblems(person.page)).toEqual([]);
  expect(await wayOf(person.page.goto(`${site.origin}/orders`))).toContain('/.signet/login');
});

test('going back after signing out asks the app for nothing, and what is loaded anew leads to sign-in', async () => {
  await signIn(person.page, '/secret');
  await Promise.all([person.page.waitForNavigation(), person.page.click('#out')]);
  const before = site.seen.length;
  await person.page.goBack();
  expect(site.seen.slice(before)).toEqual([]);
  expect(await wayOf(person.page.reload())).toContain('/.signet/login');
});

test('a link on another site does not sign out: the person is asked, by a form that works', async () => {
  await signIn(person.page);
  await person.page.goto('about:blank');
  await person.page.setContent(`<a href="${site.origin}/.signet/logout">out</a>`);
  await Promise.all([person.page.waitForNavigation(), person.page.click('a')]);
  expect(await heading(person.page)).toBe('Do you want to sign out?');
  await press(person.page, 'Sign out');
  expect(await heading(person.page)).toBe('You are signed out');
});

test('who is not allowed is told who they are and what it takes, and can come as someone else', async () => {
  await signIn(person.page, '/admin/?x=1');
  expect(await heading(person.page)).toBe('You don’t have access to this page');
  const text = await person.page.$eval('main', (main) => main.innerText);
  expect(text).toMatch(/Alice.*\(alice\)/);
  expect(text).toContain('you need to have the role auditor');
  expect(text).toMatch(/Request id: [0-9a-f-]{36}/);
  await press(person.page, 'Sign in as someone else');
  await logIn(person.page, 'carol');
  expect(await heading(person.page)).toBe('Orders of carol');
  expect(pathOf(person.page)).toBe('/admin/?x=1');
});

test('the pages speak the browser’s language', async () => {
  const german = await browser.person('de-DE,de;q=0.9,en;q=0.5');
  await german.page.goto(`${site.origin}/.signet/signed-out`);
  expect(await heading(german.page)).toBe('Sie sind abgemeldet');
  await german.leave();
});

test('none of it makes the browser complain about our pages', async () => {
  await signIn(person.page, '/admin/');
  await press(person.page, 'Sign out');
  await press(person.page, 'Sign in again');
  const ours = person.complaints.filter((complaint) => complaint.includes(site.origin));
  // That a page is forbidden is an error to the console.
  expect(ours.filter((complaint) => !complaint.includes('403'))).toEqual([]);
});
