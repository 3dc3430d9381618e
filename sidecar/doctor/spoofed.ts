// Headers that a client may not choose, sent with marks of this run: none of them may come back. What a
// protected app gets can't be seen from here; `signet check` reads the Caddyfile for that. Pure.
import type { Reply } from './ask.ts';
import { requestIdOf, tracesOf } from './gate-mark.ts';
import { type Line, notLookedAt, warning, well, wrong } from './line.ts';
import { judgeSidecar } from './signed-out.ts';

/** What was sent, and how it is found again. */
export type Spoof = {
  readonly headers: Readonly<Record<string, string>>;
  /** Header → what of it must not come back. */
  readonly marks: ReadonlyMap<string, string>;
  /** Of the trace that the client claims to be in: 32 hex digits. */
  readonly traceId: string;
};

const NAMES = [
  'Remote-User',
  'Remote_User',
  'Remote.User',
  'Remote-Groups',
  'Signet-Stamp',
  'X-Forwarded-Uri',
  'X-Request-Id',
  'Baggage',
  'Traceparent',
] as const;

/** What `protect` takes off; the others go at the site's top, from every block. */
const BY_THE_GATE = ['Baggage', 'Traceparent'];

/** Returns headers to send; `nonce` is 32 random hex digits, of this run only. */
export function spoofOf(nonce: string): Spoof {
  const marks = new Map(NAMES.map((name, at) => [name as string, `doctor-${nonce}-${at}`]));
  // The shape of a UUID, so that nothing but the rule stands against it.
  marks.set('X-Request-Id', nonce.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'));
  // Of its own: the other marks have the nonce in them.
  const traceId = nonce.split('').toReversed().join('');
  marks.set('Traceparent', traceId);
  const headers = Object.fromEntries([...marks].map(([name, mark]) => [name, valueOf(name, mark)]));
  return { headers, marks, traceId };
}

function valueOf(name: string, mark: string): string {
  if (name === 'X-Forwarded-Uri') return `/${mark}`;
  if (name === 'Baggage') return `user.id=${mark},team=${mark}`;
  return name === 'Traceparent' ? `00-${mark}-${mark.slice(16)}-01` : mark;
}

/**
 * Returns the line about the answers to them. `page` is what the URL answered, `me` what `/.signet/me` did; `isOpen`
 * where no gate answers for the URL.
 */
export function judgeSpoofed(spoof: Spoof, page: Reply, me: Reply, isOpen: boolean): Line {
  const name = 'spoofed headers';
  if (me.status >= 200 && me.status < 300) {
    const mend = 'something believes them before Signet does: look what answers there';
    return wrong(name, '/.signet/me knows somebody by headers that anybody can send', mend);
  }
  // What a gate takes off an open block's app gets: `signed-out` tells of it, and the snippet is right.
  const left = isOpen ? new Set(BY_THE_GATE) : new Set<string>();
  const found = [
    ...cameBack(spoof, [page]).filter((header) => !left.has(header)),
    ...cameBack(spoof, [me]),
  ];
  if (found.length > 0) {
    const seen = `${[...new Set(found)].join(', ')} came back: the client's own got through Caddy`;
    return wrong(
      name,
      seen,
      'run `signet check`: the snippet, or its place in the site, is not right',
    );
  }
  if ((isOpen ? [me] : [page, me]).some((reply) => tracesOf(reply).includes(spoof.traceId))) {
    const seen = 'a trace id of a client who is nobody was taken over';
    return warning(name, seen, 'only with `trace: { trust: always }` may that be');
  }
  if (requestIdOf(page) === undefined || judgeSidecar(me).verdict !== 'well') {
    return notLookedAt(name, 'nothing came back, but not all that answered is Signet’s');
  }
  const cut = page.isCut || me.isCut ? ', as far as they were read' : '';
  const told = `none of ${spoof.marks.size - left.size} came back in the answers${cut}`;
  const open = isOpen
    ? `; ${BY_THE_GATE.join(' and ')} a gate takes off, and none answers here`
    : '';
  return well(name, `${told}${open}; what an app gets can't be seen from outside`);
}

function cameBack({ marks }: Spoof, replies: readonly Reply[]): string[] {
  const text = replies.map(({ head, body }) => `${withoutTiming(head)}\n${body}`).join('\n');
  return [...marks].filter(([, mark]) => text.includes(mark)).map(([name]) => name);
}

// Under `trust: always` the trace may stand there; it has a rule of its own.
function withoutTiming(head: string): string {
  return head.replaceAll(/^server-timing:.*$/gim, '');
}
