// A whole examination, from the address to the destinations, in the order in which one thing needs another. It
// calls; what an answer means stands in the file of its name.
import { addressesOf, type Failed, type Reply, type Site } from './ask.ts';
import { lookAtProgram } from './caddy.ts';
import { isHttpsPort, judgeRedirected, judgeScheme, secureTarget } from './certificate.ts';
import { tryDestination } from './destinations.ts';
import type { Beside, Examination } from './examination.ts';
import { askPage, lookAtSite } from './examine-site.ts';
import { judgeHealth } from './health.ts';
import { lookAtLacking } from './lacking.ts';
import { type Looked, lookAtIssuer } from './issuers.ts';
import { type Line, notLookedAt, well, wrong } from './line.ts';

/**
 * For all that the site is asked: two pages that never end, as a stream of events does, are cut after ten seconds each,
 * and there is time for the rest.
 */
export const SITE_WITHIN_MS = 25_000;

/** Yields one line after another. Every call that it makes ends by its own deadline, those to the site by one. */
export async function* examine(given: Examination): AsyncGenerator<Line> {
  const site = { endsAtMs: performance.now() + SITE_WITHIN_MS, ...given.site };
  const examination = { ...given, site };
  const { tell } = examination;
  tell(`asking ${site.url.host} …`);
  const [issuers, destinations] = [lookAtIssuers(examination), tryDestinations(examination)];
  const health = askedHealth(examination);
  yield await lookAtAddress(site);
  const page = await askPage(examination);
  if ('problem' in page) yield* unreachable(site, page);
  else
    yield* lookAtAnswer(examination, page, async () => {
      return { issuers: await issuers, health: await health };
    });
  yield await lookAtProgram(examination.caddy);
  yield* lookAtLacking(examination);
  yield* lookAtHealth(examination, await health);
  for (const { lines } of await issuers) yield* lines;
  tell('waiting for the destinations …');
  yield* await destinations;
}

async function* lookAtAnswer(
  examination: Examination,
  page: Reply,
  beside: () => Promise<Beside>,
): AsyncGenerator<Line> {
  const { url } = examination.site;
  if (isHttpsPort(page)) return yield judgeScheme(url);
  const secure = secureTarget(url, page);
  if (secure !== undefined) return yield judgeRedirected(url, secure);
  yield* lookAtSite(examination, page, await beside());
}

async function lookAtAddress({ url }: Site): Promise<Line> {
  const found = await addressesOf(url);
  const mend = 'add the name to DNS, or correct the URL';
  if ('problem' in found) return wrong('address', `${url.hostname}: ${found.problem}`, mend);
  return well('address', `${url.hostname} is ${found.join(', ')}`);
}

function* unreachable({ url }: Site, { problem }: Failed): Generator<Line> {
  const mend = 'does Caddy run, is its port open to here, and is the URL right?';
  yield wrong('site', `${url.origin} does not answer: ${problem}`, mend);
  yield notLookedAt('signed-out', 'sidecar, sign-in, spoofed headers and record: no answer');
}

async function askedHealth({ installed }: Examination): Promise<Beside['health']> {
  return 'is' in installed ? installed.is.askHealth() : undefined;
}

function lookAtHealth({ installed, version }: Examination, answer: Beside['health']): Line[] {
  if ('why' in installed || answer === undefined) return [];
  return judgeHealth(installed.is.health, answer, version);
}

async function lookAtIssuers({ installed }: Examination): Promise<Looked[]> {
  if ('why' in installed) return [];
  return Promise.all(installed.is.issuers.map((issuer) => lookAtIssuer(issuer, Date.now)));
}

async function tryDestinations({ sending }: Examination): Promise<Line[]> {
  if ('why' in sending) return [];
  const { destinations } = sending.is;
  if (destinations.length === 0) return [notLookedAt('destinations', 'none is configured')];
  const nowUs = Date.now() * 1000;
  return Promise.all(destinations.map((each) => tryDestination(each, sending.is, nowUs)));
}
