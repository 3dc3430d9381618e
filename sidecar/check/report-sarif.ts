// A report for code hosts: SARIF 2.1.0 (OASIS, 2020-03-27), as GitHub's code scanning reads it. Pure.
import { createHash } from 'node:crypto';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { visibleJson } from '../visible.ts';
import { CODES, type Code, type Explained } from './codes.ts';
import type { Finding } from './finding.ts';
import { exceptedText, placeOf, type Report, whereText } from './report.ts';

export type SarifOptions = {
  /** Signet's. */
  readonly version: string;
  /** Files below it have URIs that are relative to it: the root of the repository, for a code host. */
  readonly folder: string;
};

const SCHEMA =
  'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';
const RULES: readonly [Code, Explained][] = Object.entries(CODES) as [Code, Explained][];

/** Returns the report as a SARIF log in one line, with its end. */
export function reportSarif(report: Report, options: SarifOptions): string {
  const excepted = exceptedText(report);
  const notes = [
    ...report.notLookedAt,
    ...report.warnings,
    ...(excepted === undefined ? [] : [`${excepted}.`]),
  ];
  return sarifLog(
    {
      executionSuccessful: true,
      toolExecutionNotifications: notes.map((text) => ({ level: 'note', message: { text } })),
    },
    resultsOf(report, options.folder),
    options,
  );
}

/** Returns the log of a check that could not be done, in one line: no results, and why. */
export function failureSarif(problem: string, options: SarifOptions): string {
  const text = sentence(`It could not be checked: ${problem}`);
  const told = { level: 'error', message: { text } };
  return sarifLog({ executionSuccessful: false, toolExecutionNotifications: [told] }, [], options);
}

function sarifLog(
  invocation: object,
  results: readonly object[],
  { version, folder }: SarifOptions,
): string {
  const driver = { name: 'signet check', semanticVersion: version, rules: RULES.map(ruleOf) };
  const run = {
    tool: { driver },
    columnKind: 'utf16CodeUnits',
    originalUriBaseIds: { SRCROOT: { uri: `${pathToFileURL(folder).href}/`.replace(/\/+$/, '/') } },
    invocations: [invocation],
    results,
  };
  const log = { $schema: SCHEMA, version: '2.1.0', runs: [run] };
  return `${visibleJson(JSON.stringify(log))}\n`;
}

function ruleOf([id, { severity, title, risk, mend }]: [Code, Explained]) {
  return {
    id,
    shortDescription: { text: title },
    fullDescription: { text: risk },
    help: { text: `${risk} ${mend}`, markdown: `${risk}\n\n**What mends it:** ${mend}` },
    defaultConfiguration: { level: severity },
    properties: { tags: ['security'] },
  };
}

function resultsOf(report: Report, folder: string) {
  const told = new Map<string, number>();
  return report.findings.map((finding) => {
    const { code, severity, seen, risk, mend } = finding;
    const like = likenessOf(finding, report, folder);
    const nth = told.get(like) ?? 0;
    told.set(like, nth + 1);
    return {
      ruleId: code,
      ruleIndex: RULES.findIndex(([id]) => id === code),
      level: severity,
      message: { text: `${sentence(seen)} ${risk} ${mend}` },
      locations: [locationOf(finding, report, folder)],
      partialFingerprints: { 'signetFinding/v1': fingerprintOf(like, nth) },
    };
  });
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

// Without line and pointer: both move when something is written above. Of several that are alike their order tells.
function likenessOf(finding: Finding, report: Report, folder: string): string {
  const { uri } = artifactOf(placeOf(finding, report).file, folder);
  return JSON.stringify([finding.code, uri, finding.where.hosts, finding.where.path]);
}

function fingerprintOf(like: string, nth: number): string {
  return createHash('sha256').update(`${like}\n${nth}`).digest('hex').slice(0, 32);
}

// A code host shows nothing that has no line: what has none stands at the file's first.
function locationOf(finding: Finding, report: Report, folder: string) {
  const { file, line } = placeOf(finding, report);
  const physicalLocation = {
    artifactLocation: artifactOf(file, folder),
    region: { startLine: line ?? 1 },
  };
  const name = whereText(finding);
  return name === ''
    ? { physicalLocation }
    : { physicalLocation, logicalLocations: [{ fullyQualifiedName: name }] };
}

function artifactOf(file: string, folder: string): { uri: string; uriBaseId?: string } {
  const path = relative(folder, resolve(folder, file));
  const isOutside = isAbsolute(path) || path === '..' || path.startsWith(`..${sep}`);
  if (isOutside) return { uri: pathToFileURL(resolve(folder, file)).href };
  return { uri: path.split(sep).map(encodeURIComponent).join('/'), uriBaseId: 'SRCROOT' };
}
