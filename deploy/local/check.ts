// The demo's checker, a program of its own: `node check.ts FOLDER`. It knows the answers that the
// client saw, the spans, what `signet audit` printed, and a literal table; nothing of Signet's code.
// Exits 0, or 1 naming each request that is not as it must be.
import { appProblems } from './check-app.ts';
import { rowProblems } from './check-rows.ts';
import { spanProblems } from './check-spans.ts';
import { EXPECTED } from './check-table.ts';
import { readCases, type Case } from './evidence.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('which folder?');
const cases = readCases(folder);
const problems = [...cases.flatMap(problemsOf), ...completeness(cases)];

for (const problem of problems) console.error(`  wrong: ${problem}`);
if (problems.length === 0) console.log(`  ${cases.length} requests, all as they must be`);
process.exitCode = problems.length === 0 ? 0 : 1;

function problemsOf(one: Case): string[] {
  const { label, requestId } = one.seen;
  const expected = EXPECTED.get(label);
  const found =
    expected === undefined
      ? ['nobody expected this request']
      : [
          ...rowProblems(one, expected),
          ...spanProblems(one, expected),
          ...appProblems(one, expected),
        ];
  return found.map((problem) => `${label} (${requestId}): ${problem}`);
}

// Nothing was left out on the way here, and no two answers are one.
function completeness(all: readonly Case[]): string[] {
  const labels = new Set(all.map(({ seen }) => seen.label));
  const missing = [...EXPECTED.keys()].filter((label) => !labels.has(label));
  const ids = Map.groupBy(all, ({ seen }) => seen.requestId);
  const shared = [...ids].filter(([, sharing]) => sharing.length > 1);
  return [
    ...missing.map((label) => `${label}: the client has not seen an answer`),
    ...shared.map(([id, sharing]) => `${sharing[0]?.seen.label}: shares the request id ${id}`),
  ];
}
