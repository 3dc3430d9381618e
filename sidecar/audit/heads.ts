// Signed heads in the store: the end of a chain, vouched for.
import { lastOf } from './append.ts';
import type { Queries } from './database.ts';
import { signHead, type Head } from './head.ts';
import type { SigningKey } from './signing-key.ts';

/** Signs the end of the chain; undefined when this key has done so, or the chain is empty. */
export async function signLast(
  queries: Queries,
  chain: string,
  key: SigningKey,
  nowUs: number,
): Promise<Head | undefined> {
  const { sequence, hash } = await lastOf(queries, chain);
  const known = 'SELECT sequence FROM heads WHERE chain = ? AND sequence = ? AND key_id = ?';
  const isSigned = (await queries.all(known, [chain, sequence, key.id])).length > 0;
  if (sequence === 0 || isSigned) return undefined;
  const text = Buffer.from(hash).toString('hex');
  const head = signHead({ chain, sequence, hash: text, signedAtUs: nowUs }, key);
  await queries.insert(
    'heads',
    ['sequence', 'hash', 'signed_at_us', 'key_id', 'signature'],
    [[sequence, hash, nowUs, key.id, Buffer.from(head.signature, 'base64url')]],
  );
  return head;
}
