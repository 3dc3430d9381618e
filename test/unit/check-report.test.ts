// What `signet check` says of its findings: for people, for programs, for code hosts.
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { CODES, type Code } from '../../sidecar/check/codes.ts';
import type { Finding } from '../../sidecar/check/finding.ts';
import { type Report, whereText, withoutCodes } from '../../sidecar/check/report.ts';
import { reportJson } from '../../sidecar/check/report-json.ts';
import { failureSarif, reportSarif } from '../../sidecar/check/report-sarif.ts';
import { reportText } from '../../sidecar/commands/check-text.ts';

function finding(code: Code, given: Partial<Finding> = {}): Finding {
  return {
    ...CODES[code],
    code,
    where: {
      pointer: '/apps/http/servers/srv0/routes/0',
      hosts: ['app.example.com'],
      path: ['/reports/*', 'reverse_proxy reports:3000'],
    },
    seen: 'reverse_proxy reports:3000 answers, and no gate was asked before',
    source: { file: 'Caddyfile', line: 12 },
    ...given,
  };
}

function report(given: Partial<Report> = {}): Report {
  const nothing = { findings: [], notLookedAt: [], warnings: [] };
  return { file: 'Caddyfile', caddy: '2.11.9', ...nothing, ...given };
}

const plain = { width: 100, colour: false };
const sarifOptions = { version: '0.1.0', folder: '/srv/edge' };

describe('for people', () => {
  test('a kind of finding is told with its code, what could happen and the mend, and then where it is', () => {
    const text = reportText(report({ findings: [finding('unguarded')] }), { ...plain, width: 400 });
    expect(text.split('\n').slice(0, 8)).toEqual([
      'error unguarded: served without a decision',
      '    Anyone gets what is served here: the gate is not asked.',
      expect.stringMatching(/^ {4}→ Put it into/),
      '',
      '    Caddyfile:12',
      '        app.example.com › /reports/* › reverse_proxy reports:3000',
      '        reverse_proxy reports:3000 answers, and no gate was asked before',
      '',
    ]);
  });

  test('what a code is stands once, and below it each place, by file and line', () => {
    const at = (file: string, line: number) => finding('unguarded', { source: { file, line } });
    const findings = [at('sites/a.caddy', 3), at('Caddyfile', 20), at('Caddyfile', 3)];
    const text = reportText(report({ findings }), plain);
    expect(text.match(/served without a decision/g)).toHaveLength(1);
    expect(text.match(/^ {4}\S+:\d+$/gm)).toEqual([
      '    Caddyfile:3',
      '    Caddyfile:20',
      '    sites/a.caddy:3',
    ]);
  });

  test('errors stand before warnings, and the last line counts', () => {
    const text = reportText(
      report({
        findings: [
          finding('admin-open', { source: { file: 'a.caddy', line: 3 } }),
          finding('unguarded', { source: { file: 'b.caddy', line: 3 } }),
          finding('log-skipped', { source: { file: 'b.caddy', line: 20 } }),
        ],
      }),
      plain,
    );
    expect(text.match(/^\S.*$/gm)).toEqual([
      expect.stringMatching(/^error unguarded: /),
      expect.stringMatching(/^error log-skipped: /),
      expect.stringMatching(/^warning admin-open: /),
      '2 errors and 1 warning in 2 files (Caddy 2.11.9).',
    ]);
  });

  test('a finding without a line stands in the file that was checked', () => {
    const text = reportText(
      report({ findings: [finding('header-bound', { source: undefined })] }),
      plain,
    );
    expect(text).toMatch(/^ {4}Caddyfile$/m);
  });

  test('what was left out is counted, by its code', () => {
    const findings = [finding('log-skipped'), finding('log-skipped'), finding('unguarded')];
    const text = reportText(withoutCodes(report({ findings }), ['log-skipped']), plain);
    expect(text).not.toContain('error log-skipped');
    expect(text).toMatch(/^2 left out by --except: log-skipped \(2\)\.\n1 error in 1 file/m);
  });

  test('a place in an error route says so, also where nothing says for which errors', () => {
    const where = {
      pointer: '/apps/http/servers/srv0/errors/routes/0',
      hosts: ['a.example.com'],
      path: ['reverse_proxy app:3000'],
    };
    expect(whereText(finding('error-route-serves', { where }))).toBe(
      'a.example.com › handle_errors › reverse_proxy app:3000',
    );
  });

  test('nothing found is one line', () => {
    expect(reportText(report(), plain)).toBe('Nothing found in Caddyfile (Caddy 2.11.9).\n');
  });

  test('what was not looked at is said, also when nothing was found', () => {
    const text = reportText(report({ notLookedAt: ['No lines are told.'] }), plain);
    expect(text).toBe('No lines are told.\n\nNothing found in Caddyfile (Caddy 2.11.9).\n');
  });

  test.each([30, 60, 100])(
    'no line is longer than a terminal of %i columns, but for a word that is',
    (width) => {
      const text = reportText(report({ findings: [finding('gate-unstamped')] }), {
        width,
        colour: false,
      });
      const indented = text.split('\n').filter((line) => line.startsWith(' '.repeat(8)));
      const tooLong = indented.filter(
        (line) => line.length > Math.max(width, 38) && line.trim().includes(' '),
      );
      expect(tooLong).toEqual([]);
    },
  );

  test('an error is red where there are colours, and nothing is coloured where there are none', () => {
    const findings = [finding('unguarded')];
    expect(reportText(report({ findings }), { width: 100, colour: true })).toContain(
      '\u001b[31merror',
    );
    expect(reportText(report({ findings }), plain)).not.toContain('\u001b');
  });

  test('what a terminal would obey is spelled out', () => {
    const seen = 'read "\u001b]0;owned\u0007"';
    const where = { pointer: '', hosts: ['a\u202eb'], path: [] };
    const text = reportText(
      report({ findings: [finding('route-invalid', { seen, where })] }),
      plain,
    );
    expect(text).toContain('\\x1b]0;owned\\x07');
    expect(text).toContain('a\\u202eb');
  });
});

describe('for programs', () => {
  test('it is one object with counts, and each finding has code, file, line, risk and mend', () => {
    const findings = [finding('unguarded'), finding('admin-open', { source: undefined })];
    const told: unknown = JSON.parse(reportJson(report({ findings, notLookedAt: ['x'] })));
    expect(told).toMatchObject({
      file: 'Caddyfile',
      caddy: '2.11.9',
      errors: 1,
      warnings: 1,
      findings: [
        {
          ...{ code: 'unguarded', severity: 'error', file: 'Caddyfile', line: 12 },
          ...textsOf('unguarded'),
        },
        { code: 'admin-open', severity: 'warning', file: 'Caddyfile', line: null },
      ],
      not_looked_at: ['x'],
      caddy_warnings: [],
    });
  });

  test('it is one line, whatever stands in the file', () => {
    const text = reportJson(report({ findings: [finding('unguarded', { seen: 'a\nb\u2028c' })] }));
    expect(text.trimEnd()).not.toMatch(/[\n\u2028]/);
  });
});

function textsOf(code: Code) {
  const { title, risk, mend } = CODES[code];
  return { title, risk, mend };
}

// SARIF 2.1.0, sections 3.13 (log), 3.14 (run), 3.19 (component), 3.27 (result), 3.29 (physical location), 3.49 (rule).
const message = z.strictObject({ text: z.string().min(1), markdown: z.string().optional() });
const level = z.enum(['none', 'note', 'warning', 'error']);
const rule = z.strictObject({
  id: z.string(),
  shortDescription: message,
  fullDescription: message,
  help: message,
  defaultConfiguration: z.strictObject({ level }),
  properties: z.object({ tags: z.array(z.string()) }),
});
const location = z.strictObject({
  physicalLocation: z.strictObject({
    artifactLocation: z.strictObject({ uri: z.string(), uriBaseId: z.string().optional() }),
    region: z.strictObject({ startLine: z.int().min(1) }),
  }),
  logicalLocations: z.array(z.strictObject({ fullyQualifiedName: z.string() })).optional(),
});
const result = z.strictObject({
  ruleId: z.string(),
  ruleIndex: z.int().min(0),
  level,
  message,
  locations: z.array(location).length(1),
  partialFingerprints: z.record(z.string(), z.string()),
});
const sarif = z.strictObject({
  $schema: z.url(),
  version: z.literal('2.1.0'),
  runs: z
    .array(
      z.strictObject({
        tool: z.strictObject({
          driver: z.strictObject({
            name: z.string(),
            semanticVersion: z.string(),
            rules: z.array(rule),
          }),
        }),
        columnKind: z.enum(['utf16CodeUnits', 'unicodeCodePoints']),
        originalUriBaseIds: z.record(z.string(), z.strictObject({ uri: z.url().endsWith('/') })),
        invocations: z.array(
          z.strictObject({
            executionSuccessful: z.boolean(),
            toolExecutionNotifications: z.array(z.strictObject({ level, message })),
          }),
        ),
        results: z.array(result),
      }),
    )
    .length(1),
});

describe('for code hosts', () => {
  const runOf = (given: Partial<Report>) => {
    const [run] = sarif.parse(JSON.parse(reportSarif(report(given), sarifOptions))).runs;
    if (run === undefined) throw new Error('no run');
    return run;
  };
  const printOf = (given: Partial<Finding>) =>
    runOf({ findings: [finding('unguarded', given)] }).results[0]?.partialFingerprints;

  test('each code is a rule, with its level', () => {
    const { rules } = runOf({}).tool.driver;
    expect(rules.map(({ id, defaultConfiguration }) => [id, defaultConfiguration.level])).toEqual(
      Object.entries(CODES).map(([code, { severity }]) => [code, severity]),
    );
  });

  test('a result names its rule twice, the same: by its id and by its index', () => {
    const { results, tool } = runOf({ findings: [finding('log-skipped'), finding('admin-open')] });
    expect(results.map(({ ruleIndex }) => tool.driver.rules[ruleIndex]?.id)).toEqual(
      results.map(({ ruleId }) => ruleId),
    );
  });

  test.each([
    ['sites/a b#.caddy', 'sites/a%20b%23.caddy', 'SRCROOT'],
    ['/srv/edge/Caddyfile', 'Caddyfile', 'SRCROOT'],
    ['/etc/caddy/Caddyfile', 'file:///etc/caddy/Caddyfile', undefined],
  ])('a file %s is %s', (file, uri, uriBaseId) => {
    const { results } = runOf({ findings: [finding('unguarded', { source: { file, line: 2 } })] });
    expect(results[0]?.locations[0]?.physicalLocation).toEqual({
      artifactLocation: { uri, ...(uriBaseId !== undefined && { uriBaseId }) },
      region: { startLine: 2 },
    });
  });

  test('what was seen ends in a stop before what could happen', () => {
    const { results } = runOf({ findings: [finding('unguarded', { seen: 'app answers' })] });
    expect(results[0]?.message.text).toMatch(/^app answers\. Anyone gets/);
  });

  test('a check that could not be done is a run that failed, without results', () => {
    const [run] = sarif.parse(JSON.parse(failureSarif('no such file', sarifOptions))).runs;
    expect(run?.results).toEqual([]);
    expect(run?.invocations).toEqual([
      {
        executionSuccessful: false,
        toolExecutionNotifications: [
          { level: 'error', message: { text: 'It could not be checked: no such file.' } },
        ],
      },
    ]);
  });

  test('a finding without a line stands at the first, because code hosts show none without', () => {
    const { results } = runOf({ findings: [finding('unguarded', { source: undefined })] });
    expect(results[0]?.locations[0]?.physicalLocation.region).toEqual({ startLine: 1 });
  });

  test('a fingerprint stays when lines are written above it', () => {
    const moved = {
      source: { file: 'Caddyfile', line: 99 },
      where: { ...finding('unguarded').where, pointer: '/apps/http/servers/srv0/routes/7' },
    };
    expect(printOf(moved)).toEqual(printOf({}));
  });

  test('a fingerprint is another in another place', () => {
    const where = { ...finding('unguarded').where, hosts: ['b.example.com'] };
    expect(printOf({ where })).not.toEqual(printOf({}));
  });

  test('two that are alike have two fingerprints', () => {
    const { results } = runOf({ findings: [finding('unguarded'), finding('unguarded')] });
    const prints = results.map(({ partialFingerprints }) => JSON.stringify(partialFingerprints));
    expect(new Set(prints).size).toBe(2);
  });

  test('what was not looked at is a note of the run', () => {
    const [invocation] = runOf({ notLookedAt: ['No lines are told.'] }).invocations;
    expect(invocation?.toolExecutionNotifications).toEqual([
      { level: 'note', message: { text: 'No lines are told.' } },
    ]);
  });
});
