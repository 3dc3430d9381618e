// What each part of a sidecar knows of itself, in phrases for people. A field that isn't there is left out; a
// part that isn't known here tells its plain fields. Pure: texts are as they came, and not yet safe to print.
import { wholeText } from '../report/format-volume.ts';
import { fieldsOf, numberIn, textIn, timeIn, type StatusCheck } from './status-answer.ts';
import { countText, lengthText, sizeText } from './status-words.ts';

type Phrases = readonly (string | undefined)[];
type Tell = (check: StatusCheck, nowMs: number) => Phrases;

const TELL: Readonly<Record<string, Tell>> = {
  gate: (check) => [prefixed('at ', textIn(check, 'listen'))],
  provider: (check) => [textIn(check, 'issuer')],
  keys: (check) => [
    prefixed('sealed by ', textIn(check, 'seals')),
    prefixed('in the ring: ', wholeIn(check, 'count')),
  ],
  configuration: (check, nowMs) => [
    textIn(check, 'file'),
    prefixed('read ', agoIn(check, 'read_at', nowMs)),
    prefixed('waits for a restart: ', listIn(check, 'waits_for_restart')),
  ],
  recorder: (check) => [
    counted(check, 'rows', 'row'),
    suffixed(sized(check, 'lagBytes'), ' of the log behind'),
    ...named(check, ['setAside', 'set aside'], ['lost', 'lost'], ['unexplained', 'unexplained']),
    ...named(check, ['invalidStamps', 'stamps not believed']),
  ],
  decisions: (check) => named(check, ['open', 'open'], ['overdue', 'overdue']),
  store: (check, nowMs) => [
    textIn(check, 'place'),
    prefixed('chain ', textIn(check, 'chain')),
    sized(check, 'bytes'),
    headText(check, nowMs),
  ],
  retention: (check) => {
    const upTo = numberIn(check, 'removedUpTo') ?? 0;
    const waiting = Object.keys(fieldsOf(check['waiting']) ?? {});
    return [
      upTo === 0 ? 'no row was old enough yet' : `removed up to row ${wholeText(upTo)}`,
      waiting.length === 0 ? undefined : `old rows wait for ${waiting.join(', ')}`,
    ];
  },
};

/** Returns what a part says of itself besides whether it is well. */
export function phrasesOf(name: string, check: StatusCheck, nowMs: number): string[] {
  return tellOf(name)(check, nowMs).filter((phrase) => phrase !== undefined);
}

/** Returns the checks with one of the store's: its place is the store's to tell, its head the recorder's. */
export function withStore(
  checks: Readonly<Record<string, StatusCheck>>,
): Readonly<Record<string, StatusCheck>> {
  const head = fieldsOf(checks['recorder']?.['head']);
  if (head === undefined) return checks;
  return { ...checks, store: { ok: true, chain: head['chain'], head, ...checks['store'] } };
}

function tellOf(name: string): Tell {
  if (name.startsWith('destination ')) return destination;
  if (name.startsWith('metrics ')) {
    return (check, nowMs) => [prefixed('last sent ', agoIn(check, 'lastSentAt', nowMs))];
  }
  // Its own only: a part may have the name of something that every object has.
  return (Object.hasOwn(TELL, name) ? TELL[name] : undefined) ?? plain;
}

function destination(check: StatusCheck, nowMs: number): Phrases {
  const leftOut = fieldsOf(check['leftOut']) ?? {};
  const counts = Object.keys(leftOut).map(
    (reason) => [reason, numberIn(leftOut, reason) ?? 0] as const,
  );
  const losses = counts.filter(([, count]) => count > 0);
  return [
    textIn(check, 'status'),
    prefixed('since ', agoIn(check, 'since', nowMs)),
    suffixed(counted(check, 'waiting', 'row'), ' waiting'),
    suffixed(wholeIn(check, 'sent'), ' sent'),
    losses.length === 0
      ? undefined
      : `left out: ${losses.map(([reason, count]) => `${wholeText(count)} ${reason}`).join(', ')}`,
  ];
}

function plain({ ok: _ok, problem: _problem, ...rest }: StatusCheck): Phrases {
  const told = Object.entries(rest).filter(([, value]) => typeof value !== 'object');
  return told.map(([name, value]) => `${name} ${String(value)}`);
}

function headText(check: StatusCheck, nowMs: number): string | undefined {
  const head = fieldsOf(check['head']);
  const sequence = numberIn(head, 'sequence');
  const signedAtUs = numberIn(head, 'signedAtUs');
  if (sequence === undefined || signedAtUs === undefined) return undefined;
  return `signed up to row ${wholeText(sequence)} ${lengthText(nowMs - signedAtUs / 1000)} ago`;
}

function named(check: StatusCheck, ...names: readonly (readonly [string, string])[]): Phrases {
  return names.map(([field, words]) => suffixed(wholeIn(check, field), ` ${words}`));
}

function counted(check: StatusCheck, name: string, noun: string): string | undefined {
  const number = numberIn(check, name);
  return number === undefined ? undefined : countText(number, noun);
}

function sized(check: StatusCheck, name: string): string | undefined {
  const bytes = numberIn(check, name);
  return bytes === undefined ? undefined : sizeText(bytes);
}

function wholeIn(check: StatusCheck, name: string): string | undefined {
  const number = numberIn(check, name);
  return number === undefined ? undefined : wholeText(number);
}

function agoIn(check: StatusCheck, name: string, nowMs: number): string | undefined {
  const ms = timeIn(check, name);
  return ms === undefined ? undefined : `${lengthText(nowMs - ms)} ago`;
}

function listIn(check: StatusCheck, name: string): string | undefined {
  const list: unknown = check[name];
  const texts = Array.isArray(list) ? list.filter((each) => typeof each === 'string') : [];
  return texts.length > 0 ? texts.join(', ') : undefined;
}

function prefixed(before: string, text: string | undefined): string | undefined {
  return text === undefined ? undefined : before + text;
}

function suffixed(text: string | undefined, after: string): string | undefined {
  return text === undefined ? undefined : text + after;
}
