// Accounts for every decision of the gate: once a second, what is in its journals is held against what
// has come in the log. What has no line any more is recorded as lost; the rest is open.
import { sizeOf } from '../audit/account.ts';
import type { EventRow } from '../audit/row.ts';
import type { AuditStore } from '../audit/store.ts';
import { readJournals, removeJournal, type JournalFile } from './journal-file.ts';
import { createDoubt } from './doubt.ts';
import { finished, judge, type Judgement, type Lost } from './judge.ts';
import { explain } from '../fault.ts';
import type { Noted } from './journal-layout.ts';
import { likelyCause } from './likely-cause.ts';
import type { LogFacts } from './log-facts.ts';
import { endangered, pendingOf, type Pending } from './pending.ts';

/** How often it looks. */
export const LOOK_EVERY_MS = 1000;
/** How old a decision is before its request's row is looked for. */
const ASK_AFTER_US = 2_000_000;
/** How long a loss is shown as a problem. */
const SHOWN_US = 3_600_000_000;
/** So many decisions of a route that has no line at all are not just long requests. */
const SILENT_ROUTE_MIN = 5;
/** Name of the note with open decisions whose slots in the journal are or will be overwritten. */
export const OPEN_DECISIONS = 'open-decisions';

/** How the gate's decisions stand. */
export type DecisionsState = {
  /** Without a line yet: under way, or lost and not yet known to be. */
  readonly open: number;
  /** Of these, for more than a minute. */
  readonly overdue: number;
  readonly warning?: string;
};

export type Reckoning = {
  /** Looks when it is time; nothing is lost before all that is in the log has been read. */
  step(isLogAtEnd: boolean): Promise<void>;
  state(): DecisionsState;
};

export type ReckoningParts = {
  readonly store: Pick<AuditStore, 'accounts' | 'having' | 'commit' | 'note' | 'newestByRoute'>;
  /** Where the journals are. */
  readonly folder: string;
  /** The boot that decides now. */
  readonly bootId: string;
  readonly machineBootId: string;
  readonly logFacts: () => LogFacts;
  /** Microseconds since the epoch. */
  readonly clock: () => number;
  /** Milliseconds of a clock that never jumps; by default the process's own. */
  readonly steadyMs?: () => number;
};

/** Returns the reckoning. Rejects with store faults. */
export function createReckoning(parts: ReckoningParts): Reckoning {
  const { store, bootId: currentBootId, machineBootId } = parts;
  const { steadyMs = () => performance.now() } = parts;
  const { folder } = parts;
  const doubt = createDoubt(steadyMs);
  let state: DecisionsState = { open: 0, overdue: 0 };
  let open: readonly Pending[] | undefined;
  let keptText: string | undefined;
  let lastLoss: { readonly atUs: number; readonly text: string } | undefined;
  let nextMs = -Infinity;

  async function step(isLogAtEnd: boolean): Promise<void> {
    if (steadyMs() < nextMs) return;
    const nowUs = parts.clock();
    const { journals, problems } = readJournals(folder);
    open ??= await remembered();
    const accounts = await store.accounts();
    const pending = pendingOf({ accounts, journals, kept: open, nowUs });
    const rows = await store.having(idsToAsk(pending, nowUs));
    const hasRow = (id: string) => rows.has(id);
    const by = { hasRow, currentBootId, machineBootId, nowUs, isLogAtEnd };
    const judged = doubt.confirmed(judge(pending, by), parts.logFacts().hasLog);
    await tellLosses(judged, nowUs);
    await keep(judged, journals);
    open = judged.open;
    const kept = finished(journals, judged.open, currentBootId).flatMap(removed);
    state = await stateOf(judged, [...problems, ...kept], nowUs);
    nextMs = steadyMs() + LOOK_EVERY_MS;
  }

  async function remembered(): Promise<readonly Pending[]> {
    keptText = await store.note(OPEN_DECISIONS);
    return parsed(keptText);
  }

  async function tellLosses({ lost }: Judgement, nowUs: number): Promise<void> {
    if (lost.length === 0) return;
    const count = lost.reduce((sum, { range }) => sum + sizeOf(range), 0);
    const why = likelyCause({ ...(await facts(lost)), isMachineRestarted: isRestart(lost) });
    const what = count === 1 ? 'a decision of the gate has' : `${count} decisions of the gate have`;
    lastLoss = { atUs: nowUs, text: `${what} no line: ${why}` };
  }

  async function keep({ settled, lost, open: now }: Judgement, journals: readonly JournalFile[]) {
    const text = JSON.stringify(endangered(now, journals));
    const isChanged = text !== (keptText ?? '[]');
    if (settled.length === 0 && lost.length === 0 && !isChanged) return;
    await store.commit({
      rows: lost.map((one) => rowOf(one, lastLoss?.text ?? '')),
      settled: [...settled, ...lost].map(({ bootId, range }) => ({ bootId, ranges: [range] })),
      ...(isChanged && { notes: { [OPEN_DECISIONS]: text } }),
    });
    keptText = text;
  }

  async function facts(missing: readonly Pending[]) {
    const byRoute = new Map<string, number>();
    for (const { noted } of missing) {
      if (noted !== undefined) byRoute.set(noted.route, (byRoute.get(noted.route) ?? 0) + 1);
    }
    return { ...parts.logFacts(), missing: byRoute, recorded: await store.newestByRoute() };
  }

  async function stateOf(judged: Judgement, problems: readonly string[], nowUs: number) {
    const count = judged.open.reduce((sum, { range }) => sum + sizeOf(range), 0);
    const warning =
      problems[0] ?? recentLoss(nowUs) ?? (await silence(judged.open, judged.overdue, nowUs));
    return { open: count, overdue: judged.overdue, ...(warning !== undefined && { warning }) };
  }

  function recentLoss(nowUs: number): string | undefined {
    return lastLoss !== undefined && nowUs - lastLoss.atUs < SHOWN_US ? lastLoss.text : undefined;
  }

  // Long requests are no loss. A route of which there are many, and never a line, is worth a word at once.
  async function silence(pending: readonly Pending[], overdue: number, nowUs: number) {
    if (overdue < SILENT_ROUTE_MIN) return undefined;
    const late = pending.filter(({ sinceUs }) => nowUs - sinceUs > 60_000_000);
    const known = await facts(late);
    const silent = [...known.missing].filter(
      ([route, count]) => count >= SILENT_ROUTE_MIN && !known.recorded.has(route),
    );
    if (silent.length === 0) return undefined;
    const why = likelyCause({ ...known, missing: new Map(silent), isMachineRestarted: false });
    return `${overdue} decisions have no line for more than a minute: ${why}; or all of these requests are still open (\`signet audit open\`)`;
  }

  return { step, state: () => state };
}

function rowOf({ bootId, range, noted, sinceUs, cause }: Lost, why: string): EventRow {
  const { first, last } = range;
  const details = { cause, why, boot: bootId, first, last, decisions: sizeOf(range) };
  const common = { kind: 'lost', event: 'decision-lost', startedAtUs: sinceUs } as const;
  const requestId = `decision-lost:${bootId}:${first === last ? first : `${first}-${last}`}`;
  if (noted === undefined) return { ...common, requestId, details };
  return {
    ...common,
    requestId,
    traceId: noted.requestId.replaceAll('-', ''),
    details: { ...details, request: noted.requestId, decision: noted.decision },
    ...(noted.user !== undefined && { user: noted.user }),
    route: noted.route,
  };
}

function isRestart(lost: readonly Lost[]): boolean {
  return lost.some(({ cause }) => cause === 'machine-restarted');
}

// What someone else has written there is as good as nothing.
function parsed(text: string | undefined): readonly Pending[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? value.filter(isPending) : [];
  } catch {
    return [];
  }
}

function isPending(value: unknown): value is Pending {
  if (typeof value !== 'object' || value === null) return false;
  const { bootId, range, sinceUs, machineBootId, noted } = value as Partial<Pending>;
  const areTexts = typeof bootId === 'string' && typeof machineBootId === 'string';
  const isWhole = isNumber(range?.first) && isNumber(range?.last) && range.first <= range.last;
  return areTexts && isWhole && isNumber(sinceUs) && (noted === undefined || isNoted(noted));
}

function isNoted(value: Partial<Noted> | null): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { number, requestId, startedAtUs, decision, route, user = '' } = value;
  const areTexts = [requestId, decision, route, user].every((text) => typeof text === 'string');
  return areTexts && isNumber(number) && isNumber(startedAtUs);
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

// What can't be removed is in nobody's way, and tried again. Returns why, if so.
function removed({ path }: JournalFile): string[] {
  try {
    removeJournal(path);
    return [];
  } catch (error) {
    return [`${path} is needed no more, and can't be removed: ${explain(error)}`];
  }
}

// A line without a stamp may have come. Most that are pending have only just begun.
function idsToAsk(pending: readonly Pending[], nowUs: number): string[] {
  return pending
    .filter(({ sinceUs }) => nowUs - sinceUs > ASK_AFTER_US)
    .flatMap(({ noted }) => noted?.requestId ?? []);
}
