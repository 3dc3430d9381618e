// The part of an examination that is done from outside: what the site answers to a browser that is nobody's, and to
// one that claims to be somebody.
import { randomBytes } from 'node:crypto';
import { signInPath } from '../identity/return-url.ts';
import { ask, type Failed, type Reply } from './ask.ts';
import { judgeServer } from './caddy.ts';
import { judgePlain, judgeTls } from './certificate.ts';
import { judgeClock } from './clock.ts';
import type { Beside, Examination } from './examination.ts';
import { type InCapitals, lookAtRecord, type Spoofing } from './examine-record.ts';
import { isUndecided } from './gate-mark.ts';
import { type Line, notLookedAt, wrong } from './line.ts';
import {
  CONNECT_TARGET,
  DOTS_TARGET,
  judgeOddRequests,
  judgeOddTarget,
  ODD_TARGET,
} from './odd-target.ts';
import { judgeSignIn } from './sign-in.ts';
import { isWithoutGate, judgeSidecar, judgeSignedOut, judgeSilence } from './signed-out.ts';
import { judgeSpoofed, spoofOf, type Spoof } from './spoofed.ts';

const ME = '/.signet/me';
/** Of a sidecar that Caddy could not reach: it answers this by what it knows already. */
const WITHOUT_GATE_MS = 2000;
const NO_ANSWER = 'the gate did not answer';

/** Returns what the URL answers to a browser that nobody has signed in with. */
export function askPage(
  examination: Examination,
  more: Readonly<Record<string, string>> = {},
): Promise<Reply | Failed> {
  const { pathname, search } = examination.site.url;
  return ask(examination.site, pathname + search, { ...navigating(examination), ...more });
}

/** Yields a line for each thing that the site shows; `page` is what the URL answered. */
export async function* lookAtSite(
  examination: Examination,
  page: Reply,
  { issuers, health }: Beside,
): AsyncGenerator<Line> {
  const { site } = examination;
  yield page.tls ? judgeTls(site.url, page.tls, Date.now()) : judgePlain(site.url);
  yield judgeServer(page);
  yield judgeClock('clock', "Caddy's clock", timedOf(page));
  // Of a sidecar that hangs the page has said so already.
  const withinMs = isWithoutGate(page) ? WITHOUT_GATE_MS : undefined;
  const me = await ask(site, ME, agent(examination), { withinMs });
  yield 'problem' in me ? judgeSilence(me) : judgeSidecar(me);
  yield judgeSignedOut(site.url, page);
  const isSilent = 'problem' in me || isWithoutGate(me);
  const spoofing = yield* isSilent ? withoutGate(me) : lookAtGate(examination, issuers, page);
  const stands = isSilent ? { problem: NO_ANSWER } : health;
  yield* lookAtRecord(examination, page, spoofing, stands);
}

// What hangs on the gate would be waited for, each in its turn, and tell the same again.
async function* withoutGate(me: Reply | Failed): AsyncGenerator<Line, Spoofing> {
  const why = 'isUnasked' in me ? me.problem : NO_ANSWER;
  yield notLookedAt('sign-in', why);
  yield notLookedAt('spoofed headers', why);
  return { why };
}

async function* lookAtGate(
  examination: Examination,
  issuers: Beside['issuers'],
  page: Reply,
): AsyncGenerator<Line, Spoofing> {
  yield* lookAtSignIns(examination, issuers);
  yield await lookAtOddTarget(examination);
  yield await lookAtOddRequests(examination);
  const capitals = await askInCapitals(examination);
  const spoof = spoofOf(randomBytes(16).toString('hex'));
  const { line, reply } = await lookAtSpoofed(examination, spoof, isUndecided(page));
  yield line;
  return { spoof, reply, capitals };
}

async function* lookAtSignIns(
  examination: Examination,
  looked: Beside['issuers'],
): AsyncGenerator<Line> {
  const { site, installed } = examination;
  const issuers = 'is' in installed ? installed.is.issuers : [];
  const people = issuers.flatMap(({ name, clientId }, at) =>
    clientId === undefined ? [] : [{ name, clientId, endpoint: looked[at]?.endpoint }],
  );
  for (const expected of people.length > 0 ? people : [undefined]) {
    const name = expected === undefined ? 'sign-in' : `sign-in ${expected.name}`;
    const target = signInPath('/', undefined, expected?.name);
    const reply = await ask(site, target, navigating(examination));
    yield 'problem' in reply
      ? unanswered(name, reply)
      : judgeSignIn(name, site.url, reply, expected);
  }
}

async function lookAtOddTarget(examination: Examination): Promise<Line> {
  const reply = await ask(examination.site, ODD_TARGET, agent(examination));
  return 'problem' in reply ? unanswered('odd target', reply) : judgeOddTarget(reply);
}

async function lookAtOddRequests(examination: Examination): Promise<Line> {
  const { site } = examination;
  const connect = await ask(site, CONNECT_TARGET, agent(examination), { method: 'CONNECT' });
  return judgeOddRequests(connect, await ask(site, DOTS_TARGET, agent(examination)));
}

// Before the spoofed request: where that one's row is, this one's is, too.
async function askInCapitals(examination: Examination): Promise<InCapitals | undefined> {
  const { url } = examination.site;
  const host = url.host.toUpperCase();
  if (host === url.host || host.startsWith('[')) return undefined;
  const reply = await ask(examination.site, ME, { ...agent(examination), Host: host });
  return { host, reply: 'problem' in reply ? undefined : reply };
}

type Spoofed = { readonly line: Line; readonly reply?: Reply };

async function lookAtSpoofed(
  examination: Examination,
  spoof: Spoof,
  isOpen: boolean,
): Promise<Spoofed> {
  const page = await askPage(examination, spoof.headers);
  const me = await ask(examination.site, ME, { ...agent(examination), ...spoof.headers });
  if ('problem' in page) return { line: unanswered('spoofed headers', page) };
  if ('problem' in me) return { line: unanswered('spoofed headers', me), reply: page };
  return { line: judgeSpoofed(spoof, page, me, isOpen), reply: page };
}

function unanswered(name: string, { problem, isUnasked }: Failed): Line {
  if (isUnasked) return notLookedAt(name, problem);
  return wrong(name, `no answer: ${problem}`, "Caddy's log may say why");
}

// As a browser that opens a page: whoever is to sign in is sent there.
function navigating(examination: Examination): Record<string, string> {
  return { ...agent(examination), Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate' };
}

// By it the rows of an examination are known.
function agent({ version }: Examination): Record<string, string> {
  return { 'User-Agent': `signet-doctor/${version}` };
}

function timedOf({ headers, sentAtMs, answeredAtMs }: Reply) {
  return { sentAtMs, answeredAtMs, date: headers['date']?.[0], age: headers['age']?.[0] };
}
