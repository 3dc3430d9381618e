// Where the time goes: `npm run bench:profile -- [--seconds S] [--folder FOLDER]`. Runs the whole edge
// under full load, leaves the CPU profiles of gate and recorder in the folder (open them in a browser's
// developer tools), and prints what took how much: the shares are the profile's, the microseconds those
// of a run without the profiler. Needs h2load; exits with 69 where there is none.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sharesOf, type CpuProfile, type Share } from './profile-read.ts';
import { profiledLoad, profileFile, PROFILES, type ProfileName } from './profile-run.ts';
import { exitUsage, optionsOrExit } from './usage.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const LINES = 25;
/** As Node names it. */
const THREAD = { gate: 'MainThread', recorder: 'recorder' } as const;

const HELP = `npm run bench:profile -- [--seconds S] [--folder FOLDER]

Where the time of gate and recorder goes, under full load behind a real Caddy: tables on stdout, and the CPU
profiles in the folder (by default a new one). Exits with 2 on wrong usage, 69 when h2load is missing.`;
const options = optionsOrExit(
  { seconds: { type: 'string', default: '10' }, folder: { type: 'string' } },
  HELP,
);
if (!(Number(options.seconds) > 0)) {
  exitUsage(`--seconds is "${options.seconds}" and not a number above 0`, HELP);
}
if (spawnSync('h2load', ['--version']).error) {
  console.error('h2load is needed: apt-get install nghttp2-client');
  process.exit(69);
}
const folder = resolve(options.folder ?? mkdtempSync(join(tmpdir(), 'signet-profile-')));
mkdirSync(folder, { recursive: true });
const { requests, used } = await profiledLoad(Number(options.seconds), folder);
console.log(`${requests} requests in ${options.seconds} s; the profiles are in ${folder}`);
for (const name of PROFILES) printProfile(name);
printThreads();

function printProfile(name: ProfileName): void {
  const profile = JSON.parse(readFileSync(profileFile(folder, name), 'utf8')) as CpuProfile;
  const { byFunction, byPlace, samples } = sharesOf(profile, ROOT);
  const usPerRequest = (used.get(THREAD[name]) ?? 0) / requests;
  console.log(`\n## ${name}: ${micros(usPerRequest)} µs of CPU a request, ${samples} samples`);
  console.log(`\n${tableOf('place', byPlace, usPerRequest)}`);
  console.log(`\n${tableOf('function, itself', byFunction, usPerRequest)}`);
}

function tableOf(head: string, shares: readonly Share[], usPerRequest: number): string {
  const lines = shares
    .slice(0, LINES)
    .map(({ name, share }) => `| ${name} | ${percent(share)} | ${micros(share * usPerRequest)} |`);
  return [`| ${head} | % | µs a request |`, '|---|--:|--:|', ...lines].join('\n');
}

function printThreads(): void {
  const lines = [...used].map(([name, us]) => `| ${name} | ${micros(us / requests)} |`);
  console.log(`\n${['| thread | µs a request |', '|---|--:|', ...lines].join('\n')}`);
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}

function micros(us: number): string {
  return us.toFixed(us < 10 ? 2 : 1);
}
