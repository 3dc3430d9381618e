// What `signet` ends with when it was typed wrong, and which settings which command needs.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openCommand, type AuditCommand } from '../fixtures/audit-command.ts';
import { runSignet } from '../fixtures/cli.ts';

describe('a pipeline that rolls back on 1 is not told 1 for what was typed wrong:', () => {
  test.each([
    [''],
    ['deplyo verdict'],
    ['--bogus deploy verdict'],
    ['deploy'],
    ['deploy verdikt'],
    ['deploy verdict --bogus'],
    ['serve --bogus'],
    ['help deplyo'],
  ])('signet %s ends with 64', async (typed) => {
    expect((await runSignet(typed.split(' ').filter(Boolean))).code).toBe(64);
  });

  test('help that was asked for ends with 0, and says so of 64', async () => {
    const { code, out } = await runSignet(['--help']);
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^ {2}64 {2}/m) });
  });
});

describe('without a provider and a client, beside a store,', () => {
  let audit: AuditCommand;
  beforeEach(async () => void (audit = await openCommand()));
  afterEach(() => audit.stop());

  const NOWHERE = { SIGNET_DESTINATION: 'http://127.0.0.1:1' };

  test('export-review prints what would leave', async () => {
    await audit.commit(1);
    const { code, out } = await runSignet(['export-review', '--state', audit.folder], NOWHERE);
    expect({ code, destination: JSON.parse(out) as unknown }).toMatchObject({
      code: 0,
      destination: { destination: 'otlp', signal: 'traces' },
    });
  });

  test('deliver counts what it would send', async () => {
    await audit.commit(1);
    const args = ['deliver', '--since', '2026-01-01', '--dry-run', '--state', audit.folder];
    const { code, out } = await runSignet(args, NOWHERE);
    expect({ code, out }).toEqual({ code: 0, out: '1 requests would be sent to otlp.\n' });
  });

  test('spans knows the destinations', async () => {
    await audit.commit(1);
    const { out, err } = await runSignet(['spans', '--state', audit.folder], NOWHERE);
    expect(err).toBe('');
    expect(JSON.parse(out)).toMatchObject({ destinations: [{ name: 'otlp' }] });
  });

  test('export-review without a destination ends with 78, and asks for nothing else', async () => {
    const { code, err } = await runSignet(['export-review', '--state', audit.folder]);
    expect({ code, err }).toEqual({ code: 78, err: expect.stringContaining('1 setting needs') });
  });
});
