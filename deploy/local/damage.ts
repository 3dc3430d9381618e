// Spoils the checker's evidence in one known way, to show that the checker would notice.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EVIDENCE_FILES, readCases } from './evidence.ts';

export const DAMAGES = ['row', 'span', 'user', 'parent', 'status'] as const;
export type Damage = (typeof DAMAGES)[number];

type Line = Record<string, unknown>;

/** Returns whether `text` names a damage. */
export function isDamage(text: string): text is Damage {
  return (DAMAGES as readonly string[]).includes(text);
}

/** Damages the evidence in `folder` for the request with this label. Returns what was done, for people. */
export function damage(folder: string, kind: Damage, label = 'alice: GET /orders'): string {
  const requestId = readCases(folder).find(({ seen }) => seen.label === label)?.seen.requestId;
  if (requestId === undefined) throw new Error(`${label} was not seen`);
  const rows = join(folder, EVIDENCE_FILES.rows);
  const spans = join(folder, EVIDENCE_FILES.spans);
  const isRow = (line: Line) => line['requestId'] === requestId;
  const isUpstream = (line: Line) =>
    line['traceId'] === requestId.replaceAll('-', '') &&
    line['kind'] === 'CLIENT' &&
    line['scope'] === 'signet';

  switch (kind) {
    case 'row':
      rewrite(rows, isRow, () => undefined);
      return `the audit row of "${label}" taken away`;
    case 'span':
      rewrite(spans, isUpstream, () => undefined);
      return `the upstream span of "${label}" taken away`;
    case 'user':
      rewrite(rows, isRow, (row) => ({ ...row, user: 'mallory' }));
      return `the user of "${label}" changed in its audit row`;
    case 'parent':
      rewrite(spans, isUpstream, (span) => ({ ...span, parentSpanId: '00000000deadbeef' }));
      return `the parent of the upstream span of "${label}" changed`;
    case 'status':
      rewrite(rows, isRow, (row) => ({ ...row, status: 418 }));
      return `the status of "${label}" changed in its audit row`;
  }
}

function rewrite(
  file: string,
  isMeant: (line: Line) => boolean,
  change: (line: Line) => Line | undefined,
): void {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  const rewritten = lines.flatMap((text) => {
    const line = JSON.parse(text) as Line;
    if (!isMeant(line)) return [text];
    const changed = change(line);
    return changed === undefined ? [] : [JSON.stringify(changed)];
  });
  if (rewritten.join() === lines.join()) throw new Error(`there was nothing to damage in ${file}`);
  writeFileSync(file, rewritten.map((line) => `${line}\n`).join(''));
}
