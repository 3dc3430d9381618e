// `npm run test:package`: builds and installs the package, and runs against it every test of test/e2e and
// test/flow that starts the product, one after the other. Takes some minutes; exits with 1 when one fails.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { installPackage } from '../fixtures/package-installed.ts';
import { runSuites } from '../fixtures/package-suites.ts';

const TESTS = fileURLToPath(new URL('..', import.meta.url));

/** They start something else than the product: the local stack, benchmarks, Caddy alone, the package itself. */
const OTHER_THINGS = /^(?:bench|caddy-|local-|package|container|compose)/;

/** By what a test that starts the product, or puts its snippets into a Caddyfile, gets at it. */
const STARTS_IT = /fixtures\/(?:edge|sidecar|cli|caddy|gated-site)\.ts|snippet-site\.ts/;

function suitesIn(room: string): string[] {
  return readdirSync(`${TESTS}${room}`)
    .filter((name) => name.endsWith('.test.ts') && !OTHER_THINGS.test(name))
    .map((name) => `test/${room}/${name}`)
    .filter((file) => STARTS_IT.test(readFileSync(`${TESTS}../${file}`, 'utf8')))
    .toSorted();
}

const installed = await installPackage();
try {
  const suites = [...suitesIn('e2e'), ...suitesIn('flow')];
  const hear = (text: string) => void process.stderr.write(text);
  const { passed, failed, left } = await runSuites(installed.place, suites, hear);
  console.log(`the package: ${passed} passed, ${failed} failed, ${left} skipped`);
  process.exitCode = passed > 0 && failed === 0 && left === 0 ? 0 : 1;
} finally {
  installed.remove();
}
