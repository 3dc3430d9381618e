// `npm run demo`: brings the local stack up, drives it, stops it, shows the audit and one trace, and has
// the whole checked by another program. Exits 0 or 1. DEMO_BREAK damages the evidence on the way.
import { spawn } from 'node:child_process';
import { createWriteStream, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { nearest } from './banner.ts';
import { createClient } from './client.ts';
import { damage, DAMAGES, isDamage } from './damage.ts';
import { cleanEnvironment } from './environment.ts';
import { EVIDENCE_FILES, readLines } from './evidence.ts';
import { travel, type Seen } from './journey.ts';
import { plainConfig } from './own-config.ts';
import { audit, authorityFile, spansFile } from './programs.ts';
import { runStack } from './run-stack.ts';
import type { SpanLine } from './span-line.ts';
import { PATIENT, type Running } from './stack.ts';
import { traceTree } from './trace-tree.ts';

const TREE_OF = 'alice: GET /orders';
const damaged = process.env['DEMO_BREAK'] ?? '';
if (damaged !== '' && !isDamage(damaged)) {
  console.error(`DEMO_BREAK is "${damaged}", but can be ${DAMAGES.join(', ')}.`);
  process.exit(1);
}

await runStack({ deadlines: PATIENT, configFile: plainConfig }, async (running, over) => {
  const since = new Date().toISOString();
  const seen = await Promise.race([drive(running), over]);
  console.log('\nStopping: what was not yet recorded and delivered, is now.');
  // Judged when everything has stopped: then nothing is on its way any more.
  const judge = async () => (typeof seen === 'string' ? 1 : present(running.folder, seen, since));
  return { code: 1, afterwards: judge };
});

async function drive({ app, issuer, folder }: Running): Promise<Seen[]> {
  console.log(`\nPeople and a program at ${app}:\n`);
  const client = createClient(readFileSync(authorityFile(folder), 'utf8'));
  const onSeen = ({ label, requestId, status }: Seen) =>
    console.log(`  ${label.padEnd(44)} ${status}  ${requestId}`);
  return travel({ client, app, issuer, onSeen });
}

async function present(folder: string, seen: readonly Seen[], since: string): Promise<number> {
  const command = `npm run -s signet -- audit --state ${nearest(process.cwd(), folder)}`;
  console.log(`\nThe audit (${command}):\n`);
  await signetAudit(folder, '--since', since, '--format', 'table');
  const shown = seen.find(({ label }) => label === TREE_OF)?.requestId ?? '';
  console.log(`\nOne of them, with its trace (${command} show ${shown}):\n`);
  await signetAudit(folder, 'show', shown);
  console.log("\nThe whole of that trace, as the receiver in Lightstep's place got it:\n");
  console.log(traceTree(readLines<SpanLine>(spansFile(folder)), shown.replaceAll('-', '')));
  const evidence = await gather(folder, seen, since);
  if (isDamage(damaged)) console.log(`\nDEMO_BREAK: ${damage(evidence, damaged)}.`);
  console.log('\nThe check:\n');
  return run([fileURLToPath(new URL('./check.ts', import.meta.url)), evidence]);
}

async function gather(folder: string, seen: readonly Seen[], since: string): Promise<string> {
  const evidence = join(folder, 'demo');
  mkdirSync(evidence, { recursive: true });
  const lines = seen.map((one) => `${JSON.stringify(one)}\n`).join('');
  writeFileSync(join(evidence, EVIDENCE_FILES.seen), lines);
  copyFileSync(spansFile(folder), join(evidence, EVIDENCE_FILES.spans));
  const { run: command, env } = audit(folder, '--since', since, '--format', 'json');
  await intoFile(command, env, join(evidence, EVIDENCE_FILES.rows));
  return evidence;
}

async function signetAudit(folder: string, ...args: string[]): Promise<void> {
  const { run: command, env } = audit(folder, ...args);
  const code = await run(command.slice(1), env);
  if (code !== 0) throw new Error(`signet audit ${args.join(' ')} ended with ${code}`);
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<number> {
  const environment = cleanEnvironment(process.env, env);
  const child = spawn(process.execPath, args, { stdio: 'inherit', env: environment });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

async function intoFile(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  file: string,
): Promise<void> {
  const environment = cleanEnvironment(process.env, env);
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  const child = spawn(process.execPath, command.slice(1), { stdio: [...stdio], env: environment });
  await pipeline(child.stdout, createWriteStream(file));
}
