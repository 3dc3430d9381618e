// What has to be known for a first installation: taken from flags, and what they lack from a person.
// Asks by what it is handed; touches no terminal.
import type { Secret } from '../secret.ts';
import { apart } from './apart.ts';
import { type App, parseApp } from './app.ts';
import { parseClientId, parseIssuer, parseSecret } from './client.ts';
import { type Host, parseHost } from './host.ts';
import type { Parsed } from './parsed.ts';
import { parseSpansTo, type SpansTo } from './spans-to.ts';

export type Answers = {
  readonly issuer: string;
  readonly clientId: string;
  readonly host: Host;
  readonly app: App;
  readonly spansTo: SpansTo;
  /** Absent: it is put into its file later. */
  readonly clientSecret?: Secret;
};

/** As typed behind the flags of these names. */
export type Flags = {
  readonly issuer?: string;
  readonly clientId?: string;
  readonly host?: string;
  readonly app?: string;
  readonly destination?: string;
  /** The content of the file that `--client-secret-file` names. */
  readonly clientSecret?: string;
};

/** A person at a terminal. */
export type Asker = {
  /** Resolves to the line that was typed, without the space around it. */
  ask(question: string): Promise<string>;
  /** The same, not shown while it is typed. */
  askUnseen(question: string): Promise<string>;
  say(text: string): void;
};

export type Readers = {
  readonly issuer: (text: string) => Parsed<string>;
  readonly clientId: (text: string) => Parsed<string>;
  readonly host: (text: string) => Parsed<Host>;
  readonly app: (text: string) => Parsed<App>;
};

/** The four questions, in their order: the flag in place of each, and the words. */
const QUESTIONS = {
  issuer: ['--issuer', "The provider's issuer, such as https://login.example.com"],
  clientId: ['--client-id', 'The id of the client that you made there for Signet'],
  host: [
    '--host',
    'The host that people will open, such as app.example.com (a trial: localhost:8443)',
  ],
  app: ['--app', 'Where the app listens, such as localhost:3000'],
} as const;

type Asked = keyof typeof QUESTIONS;
const ASKED = Object.keys(QUESTIONS) as Asked[];

/** Returns how each of the four is read. */
export function createReaders(isIssuer: (text: string) => boolean): Readers {
  return {
    issuer: (text) => parseIssuer(text, isIssuer),
    clientId: parseClientId,
    host: parseHost,
    app: parseApp,
  };
}

/** Returns a sentence for each flag that is wrong and, if nobody can be asked, for each that is missing. */
export function problemsOf(flags: Flags, readers: Readers, canAsk: boolean): string[] {
  const asked = ASKED.flatMap((name) => {
    const [flag, question] = QUESTIONS[name];
    const text = flags[name];
    if (text === undefined) return canAsk ? [] : [`${flag} is missing: ${question}`];
    return problemIn(flag, readers[name](text));
  });
  const others = [
    ...clashOf(flags, readers),
    ...problemIn('--destination', parseSpansTo(flags.destination ?? 'none')),
    ...secretProblems(flags.clientSecret),
  ];
  return [...asked, ...others];
}

function secretProblems(text: string | undefined): string[] {
  const name = '--client-secret-file';
  if (text === undefined) return [];
  return text.trim() === '' ? [`${name}: nothing is in it`] : problemIn(name, parseSecret(text));
}

function problemIn(flag: string, parsed: Parsed<unknown>): string[] {
  return 'problem' in parsed ? [`${flag}: ${parsed.problem}`] : [];
}

/**
 * Returns all answers; flags were found sound by `problemsOf`. `checkIssuer` says whether an issuer will do:
 * one that was typed is asked for again.
 */
export async function collectAnswers(
  flags: Flags,
  readers: Readers,
  asker: Asker | undefined,
  checkIssuer: (issuer: string) => Promise<boolean>,
): Promise<Answers | undefined> {
  const issuer = await settleIssuer();
  if (issuer === undefined) return undefined;
  const clientId = await settle('clientId', readers.clientId);
  const host = await settle('host', (text) => elsewhere(readers, text, flags.app));
  const app = await settle('app', (text) => apart(readers.app(text), host));
  const clientSecret = await settleSecret();
  const spansTo = valueOf(parseSpansTo(flags.destination ?? 'none'));
  return { issuer, clientId, host, app, spansTo, ...(clientSecret && { clientSecret }) };

  async function settleIssuer(): Promise<string | undefined> {
    for (;;) {
      const found = await settle('issuer', readers.issuer);
      if (await checkIssuer(found)) return found;
      if (flags.issuer !== undefined || asker === undefined) return undefined;
    }
  }

  async function settle<T>(name: Asked, read: (text: string) => Parsed<T>): Promise<T> {
    const text = flags[name];
    return text === undefined ? askFor(`${QUESTIONS[name][1]}: `, read) : valueOf(read(text));
  }

  async function settleSecret(): Promise<Secret | undefined> {
    const text = flags.clientSecret;
    if (text !== undefined) return valueOf(parseSecret(text));
    if (asker === undefined) return undefined;
    return askFor("The client's secret, unseen (Enter: into its file later): ", parseSecret, true);
  }

  async function askFor<T>(question: string, read: (text: string) => Parsed<T>, isUnseen = false) {
    for (;;) {
      if (asker === undefined) throw new TypeError(`nobody can be asked: ${question}`);
      const parsed = read(await (isUnseen ? asker.askUnseen(question) : asker.ask(question)));
      if ('value' in parsed) return parsed.value;
      asker.say(`  ${parsed.problem}.\n`);
    }
  }
}

// Both by flags, and one the other.
function clashOf({ host = '', app = '' }: Flags, readers: Readers): string[] {
  const parsed = readers.host(host);
  if ('problem' in parsed || 'problem' in readers.app(app)) return [];
  return problemIn('--app', apart(readers.app(app), parsed.value));
}

// The host is asked for, and the app was given.
function elsewhere(readers: Readers, text: string, app: string | undefined): Parsed<Host> {
  const host = readers.host(text);
  if (app === undefined || 'problem' in host) return host;
  const both = apart(readers.app(app), host.value);
  return 'problem' in both ? both : host;
}

function valueOf<T>(parsed: Parsed<T>): T {
  if ('value' in parsed) return parsed.value;
  throw new TypeError(parsed.problem);
}
