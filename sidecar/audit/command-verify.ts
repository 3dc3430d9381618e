// `signet audit verify`: proves that the record is as it was written, or says what is not.
import { existsSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { explain, Fault } from '../fault.ts';
import { formatOption } from './command-options.ts';
import { EXIT_USAGE, print, say, STORE_EXIT_CODES, storeCommand } from './command-store.ts';
import { verificationJson, verificationText, type Verified } from './format-verification.ts';
import { createProgress } from './progress.ts';
import { verifyChain } from './proof.ts';
import { readPublished, type Published } from './published.ts';
import type { AuditReader } from './reader.ts';
import { recordEvent } from './record-event.ts';
import { parsePublicKey, publicKeysOf, type PublicKeys } from './signing-key.ts';
import { readingAt, stateOf, writing, type RecordParts, type Whereabouts } from './whereabouts.ts';

type VerifyOptions = {
  readonly heads?: readonly string[];
  readonly publicKey?: readonly string[];
  readonly chain?: string;
  readonly format?: 'text' | 'json';
  readonly record: boolean;
};

const EXIT_FOUND = 1;

const HELP = `
Every row is held against its hash and the one before it, and the hashes against the signed heads: those
in the store, in the state folder's heads.jsonl, and in every file of --heads. Whoever keeps heads where
the machine's owner can't write proves by them that nothing before was changed, removed or added.

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
  78  the key ring is damaged
`;

/** Returns the command. */
export function verifyCommand(parts: RecordParts): Command {
  const command = new Command('verify')
    .description('prove that no row was changed, removed, inserted or moved')
    .option('--heads <file>', 'a file with published heads; can be given several times', collect)
    .option('--public-key <key>', 'believe this key, and those given beside it, only', collectKey)
    .option('--chain <id>', 'only this one, where the database holds several')
    .option('--no-record', 'make no event of it in the store')
    .addOption(formatOption(['text', 'json'], 'text'));
  return storeCommand(command, HELP).action((options: VerifyOptions) =>
    run(parts.locate(stateOf(command)), options),
  );
}

async function run(where: Whereabouts, options: VerifyOptions): Promise<void> {
  await readingAt(where, async (reader) => {
    const chains = await reader.chains();
    const asked =
      options.chain === undefined ? chains : chains.filter((id) => id === options.chain);
    if (asked.length === 0) return noChain(options.chain);
    const publicKeys = keysOf(where, options);
    const published = await publishedFor(where, options, chains);
    for (const chain of asked) {
      const verified = await verifyOne(reader, chain, { publicKeys, published: published.heads });
      const isJson = options.format === 'json';
      await print(isJson ? `${verificationJson(verified)}\n` : verificationText(verified));
      if (verified.findingCount > 0) process.exitCode = EXIT_FOUND;
      if (options.record) await record(where, verified);
    }
  });
}

type Means = { readonly publicKeys: PublicKeys; readonly published: Published['heads'] };

async function verifyOne(reader: AuditReader, chain: string, means: Means): Promise<Verified> {
  const progress = createProgress();
  const onProgress = (rows: number) => progress.tell(`${rows} rows of chain ${chain}`);
  try {
    const verification = await verifyChain(reader, chain, { ...means, onProgress });
    return { ...verification, chain, publicKeys: means.publicKeys };
  } finally {
    progress.end();
  }
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
  chains: readonly string[],
): Promise<Published> {
  const published = await readPublished([...(existsSync(headsFile) ? [headsFile] : []), ...files]);
  for (const line of published.damaged) say(`${line} holds no head, and is passed over.\n`);
  const others = published.heads.filter(({ chain }) => !chains.includes(chain)).length;
  if (others > 0) say(`${others} published heads are of chains that are not in this store.\n`);
  return published;
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
    say(`That it was verified could not be recorded: ${explain(error)}\n`);
  }
}

function noChain(chain: string | undefined): void {
  if (chain === undefined)
    throw new Fault('ERR_AUDIT_STORE', 'The audit store holds no chain yet.');
  say(`There is no chain ${chain} in this store.\n`);
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
