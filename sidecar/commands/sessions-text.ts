// What `signet sessions list` shows people: a table. Values are of providers, and shown as text.
import { visible } from '../visible.ts';
import { actorWords } from '../identity/identity.ts';
import type { openSession } from '../sessions/text.ts';

/** A session that a key of the ring opened. */
export type OpenedSession = NonNullable<ReturnType<typeof openSession>>;

const HEAD = ['SESSION', 'USER', 'TEAM', 'PROVIDER', 'BEGAN', 'CHECKED', 'LAST SEEN'];

/** Returns the table; a sentence where there is nothing to put in it. */
export function sessionsTable(sessions: readonly OpenedSession[], nowMs: number): string {
  if (sessions.length === 0) return 'Nobody is signed in.\n';
  const rows = [HEAD, ...sessions.map((session) => cellsOf(session, nowMs))];
  const widths = HEAD.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

function cellsOf(session: OpenedSession, nowMs: number): string[] {
  const { identity, sessionHash, createdAtMs, checkedAtMs, seenAtMs } = session;
  return [
    sessionHash,
    visible(identity.actor === undefined ? identity.user : actorWords(identity)),
    visible(identity.team ?? '—'),
    visible(identity.provider ?? identity.issuer),
    ago(nowMs - createdAtMs),
    checkedAtMs === undefined ? 'never' : ago(nowMs - checkedAtMs),
    ago(nowMs - seenAtMs),
  ];
}

// Last-seen times are written every five seconds: nothing finer is known.
function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return 'now';
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  const hours = Math.floor(seconds / 3_600);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} days ago`;
}
