// `signet audit verify`: proves that the record is as it was written, or says what is not.
import { existsSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { explain, Fault } from '../fault.ts';
import { formatOption } from './command-options.ts';
import { EXIT_USAGE, print, say, STORE_EXIT_CODES, storeCommand } from './command-store.ts';
import type { Finding } from '../verify/finding.ts';
import { visible } from '../visible.ts';
import { verificationJson, verificationText, type Verified } from './format-verification.ts';
import type { Head } from '../audit/head.ts';
import { createProgress } from './progress.ts';
import { verifyChain } from '../verify/proof.ts';
import { readPublished, type Published } from '../verify/published.ts';
import type { AuditReader } from '../audit/reader.ts';
import { recordEvent } from '../audit/record-event.ts';
import { parsePublicKey, publicKeysOf, type PublicKeys } from '../audit/signing-key.ts';
import { byChain, chainsIn, verifyMissing } from '../verify/verify-chains.ts';
import { readingAt, stateOf, writing, type RecordParts, type Whereabouts } from './whereabouts.ts';

type VerifyOptions = {
  readonly heads?: readonly string[];
  readonly publicKey?: readonly string[];
  readonly chain?: string;
  readonly format?: 'text' | 'json';
  readonly record: boolean;
};

const EXIT_FOUND = 1;
const EXIT_SOFTWARE = 70; // of sysexits.h: it is Signet that failed

const HELP = `
Every row is held against its hash and the one before it, and the hashes against the signed heads: those
in the store, in the state folder's heads.jsonl, and in every file of --heads. Whoever keeps heads where
the machine's owner can't write proves by them that nothing before was changed, removed or added. Heads of
a chain that is not in the store are a finding: with a file of several installations, name yours by --chain.

The database itself is looked at as well: an SQLite file must have the tables and indexes that Signet makes,
whole, and nothing besides; a PostgreSQL no trigger, rule or policy on these tables.

The public keys come from the key ring; with --public-key only those given count, and no ring is needed.
That the store was verified becomes an event in it, unless --no-record is given or it can't be written.

Examples:
  $ signet audit verify
  $ signet audit verify --heads /mnt/worm/heads.jsonl --format json
  $ signet audit verify --state ./copy --public-key 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo --no-record

Exit codes:
  0   verified
  1   something is not as it was, or can't be proved; each finding is told
  2   an option is wrong
${STORE_EXIT_CODES}
  70  Signet itself failed: nothing is known
  78  the key ring is damaged
`;

/** Returns the command. */
export function verifyCommand(parts: RecordParts): Command {
  const command = new Command('verify')
    .description('prove that no row was changed, removed, inserted or moved')
    .option('--heads <file>', 'a file with published heads; can be given several times', collect)
    .option('--public-key <key>', 'believe this key, and those given beside it, only', collectKey)
    .option(
      '--chain <id>',
      'only this one, where the database or the published heads are of several',
    )
    .option('--no-record', 'make no event of it in the store')
    .addOption(formatOption(['text', 'json'], 'text'));
  return storeCommand(command, HELP).action((options: VerifyOptions) =>
    run(parts.locate(stateOf(command)), options),
  );
}

async function run(where: Whereabouts, options: VerifyOptions): Promise<void> {
  try {
    await readingAt(where, (reader) => verifyAll(where, reader, options));
  } catch (error) {
    if (error instanceof Fault) throw error;
    // 1 would say that something was found.
    say(`signet: the verification came to no end: ${visible(explain(error))}\n`);
    process.exitCode = EXIT_SOFTWARE;
  }
}

async function verifyAll(
  where: Whereabouts,
  reader: AuditReader,
  options: VerifyOptions,
): Promise<void> {
  const there = await chainsIn(reader);
  const published = byChain(await publishedFor(where, options));
  const known = new Set([...there, ...published.keys()]);
  const asked = [...known].filter((id) => id === (options.chain ?? id));
  if (asked.length === 0) return noChain(options.chain);
  const publicKeys = keysOf(where, options);
  const problems = await reader.examine();
  const means = { publicKeys, store: problems.map((each): Finding => ({ ...each, sequence: 0 })) };
  for (const chain of asked) {
    const heads = published.get(chain) ?? [];
    const verified = there.includes(chain)
      ? await verifyOne(reader, chain, { ...means, published: heads })
      : await verifyAbsent(chain, { ...means, published: heads });
    await tell(verified, options);
    // Of no chain that is there by name only: the event would begin it.
    if (options.record && verified.rows > 0) await record(where, verified);
  }
}

async function tell(verified: Verified, { format }: VerifyOptions): Promise<void> {
  await print(format === 'json' ? `${verificationJson(verified)}\n` : verificationText(verified));
  if (verified.findingCount > 0) process.exitCode = EXIT_FOUND;
}

type Means = {
  readonly publicKeys: PublicKeys;
  readonly published: readonly Head[];
  readonly store: readonly Finding[];
};

async function verifyOne(reader: AuditReader, chain: string, means: Means): Promise<Verified> {
  const progress = createProgress();
  const onProgress = (rows: number) => progress.tell(`${rows} rows of chain ${visible(chain)}`);
  const nowUs = Date.now() * 1000;
  try {
    const verification = await verifyChain(reader, chain, { ...means, nowUs, onProgress });
    return { ...verification, chain, publicKeys: means.publicKeys };
  } finally {
    progress.end();
  }
}

async function verifyAbsent(
  chain: string,
  { published, publicKeys, store }: Means,
): Promise<Verified> {
  const verification = await verifyMissing(chain, published, publicKeys, store);
  return { ...verification, chain, publicKeys };
}

function keysOf(where: Whereabouts, { publicKey = [] }: VerifyOptions): PublicKeys {
  const given = publicKey.map(parsePublicKey).filter((key) => key !== undefined);
  const keys = given.length > 0 ? publicKeysOf(given) : where.publicKeys();
  if (keys.size === 0) {
    say(
      'There is no key ring here, and no --public-key was given: what is signed stays unproven.\n',
    );
  }
  return keys;
}

async function publishedFor(
  { headsFile }: Whereabouts,
  { heads: files = [] }: VerifyOptions,
): Promise<Published['heads']> {
  const published = await readPublished([...(existsSync(headsFile) ? [headsFile] : []), ...files]);
  for (const line of published.damaged) {
    say(`${visible(line)} holds no head, and is passed over.\n`);
  }
  return published.heads;
}

// By whoever verifies: what stands in the store afterwards is that it was done, and what was found.
async function record(where: Whereabouts, verified: Verified): Promise<void> {
  const { chain, rows, findingCount: findings, to: upTo } = verified;
  const nowUs = Date.now() * 1000;
  const event = {
    kind: 'event',
    requestId: `verification-run:${chain}:${nowUs}`,
    event: 'verification-run',
    details: { rows, findings, upTo },
    startedAtUs: nowUs,
  } as const;
  try {
    await writing(where, chain, (database) => recordEvent(database, chain, event));
  } catch (error) {
    say(`That it was verified could not be recorded: ${visible(explain(error))}\n`);
  }
}

function noChain(chain: string | undefined): void {
  if (chain === undefined)
    throw new Fault('ERR_AUDIT_STORE', 'The audit store holds no chain yet.');
  say(`There is no chain ${visible(chain)} in this store.\n`);
  process.exitCode = EXIT_USAGE;
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function collectKey(value: string, before: readonly string[] = []): string[] {
  if (parsePublicKey(value) !== undefined) return [...before, value];
  throw new InvalidArgumentError(
    'Allowed is what a verification prints: 43 characters of base64url.',
  );
}
