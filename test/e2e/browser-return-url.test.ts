// Where a browser goes with a return URL that was kept: Chromium's own reading of some thousand odd ones, each as it is
// and as somebody on the way may leave it.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'puppeteer-core';
import { safeReturnUrl } from '../../sidecar/identity/return-url.ts';
import { startBrowser, type TestBrowser } from '../fixtures/browser.ts';
import { createRandom, testSeeds } from '../fixtures/random.ts';
import { mutatedText } from '../fuzz/mutate-text.ts';
import { readings, RETURN_URL } from '../fuzz/return-url-properties.ts';

const TEXTS = 20_000;

let browser: TestBrowser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.stop());

/** Runs in the browser: tells those that lead to another origin, as a link and as a target of a redirect. */
const LEADING_AWAY = `(texts) => {
  const base = 'https://app.example/.signet/callback?state=x';
  document.head.append(Object.assign(document.createElement('base'), { href: base }));
  const link = document.createElement('a');
  return texts.filter((text) => {
    link.href = text;
    const isHere = link.origin === 'https://app.example';
    return !isHere || new URL(text, base).origin !== 'https://app.example';
  });
}`;

async function leadingAway(page: Page, texts: readonly string[]): Promise<unknown> {
  return page.evaluate(`(${LEADING_AWAY})(${JSON.stringify(texts)})`);
}

test.each(testSeeds(1))(
  `of ${TEXTS} odd return URLs none that is kept leads Chromium to another host: seed %i`,
  async (seed) => {
    const random = createRandom(seed);
    const texts = Array.from({ length: TEXTS }, () => mutatedText(RETURN_URL, random));
    const kept = texts.filter((text) => text !== '/' && safeReturnUrl(text) === text);
    expect(kept.length).toBeGreaterThan(TEXTS / 100);
    const { page } = await browser.person();
    // It tells those that do lead away, or else the rest would say nothing.
    expect(await leadingAway(page, ['//evil.example', '/\\evil.example', '/here'])).toEqual([
      '//evil.example',
      '/\\evil.example',
    ]);
    expect(await leadingAway(page, kept.flatMap(readings))).toEqual([]);
  },
);
