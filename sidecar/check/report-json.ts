// A report for programs: one JSON object. Names are stable; `code` is one of codes.ts. Pure.
import { visibleJson } from '../visible.ts';
import type { Finding } from './finding.ts';
import { countsOf, placeOf, type Report } from './report.ts';

/** Returns the report as one line, with its end. */
export function reportJson(report: Report): string {
  const { file, caddy, findings, notLookedAt, warnings, excepted } = report;
  const told = {
    file,
    caddy: caddy ?? null,
    ...countsOf(report),
    findings: findings.map((finding) => findingOf(finding, report)),
    ...(excepted && { excepted }),
    not_looked_at: notLookedAt,
    caddy_warnings: warnings,
  };
  return `${visibleJson(JSON.stringify(told))}\n`;
}

function findingOf(finding: Finding, report: Report) {
  const { code, severity, title, seen, risk, mend, where } = finding;
  const { file, line } = placeOf(finding, report);
  const { hosts, path, pointer } = where;
  return {
    ...{ code, severity, title, seen, risk, mend },
    file,
    line: line ?? null,
    hosts,
    path,
    pointer,
  };
}
