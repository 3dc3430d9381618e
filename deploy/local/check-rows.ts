// Rows against answers and table: every answer has one row, and it says who, whether and how.
import { USERS, type Expected } from './check-table.ts';
import type { AuditRow, Case } from './evidence.ts';

/** Returns what is wrong, a phrase each; empty when all is well. */
export function rowProblems({ seen, rows }: Case, expected: Expected): string[] {
  const problems: string[] = [];
  if (seen.status !== expected.status) {
    problems.push(`the client saw status ${seen.status}, not ${expected.status}`);
  }
  if (rows.length !== 1) problems.push(`there are ${rows.length} audit rows, not 1`);
  for (const row of rows) problems.push(...differences(row, expected));
  return problems;
}

function differences(row: AuditRow, expected: Expected): string[] {
  const user = expected.user === undefined ? undefined : USERS[expected.user];
  const wanted = {
    traceId: row.requestId.replaceAll('-', ''),
    user: expected.user,
    team: user?.team,
    type: user?.type,
    decision: expected.decision,
    reason: expected.reason,
    status: expected.status,
  };
  return Object.entries(wanted)
    .map(([key, value]) => ({ key, value, is: row[key as keyof AuditRow] }))
    .filter(({ value, is }) => value !== is)
    .map(({ key, value, is }) => `the row's ${key} is ${is ?? 'absent'}, not ${value ?? 'absent'}`);
}
