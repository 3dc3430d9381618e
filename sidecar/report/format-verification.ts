// A verification in words, and as JSON. Pure.
import { isoTime } from '../audit/format-text.ts';
import { visible, visibleJson } from '../visible.ts';
import type { Finding } from '../verify/finding.ts';
import { publicKeyText, type PublicKeys } from '../audit/signing-key.ts';
import type { Verification } from '../verify/verify.ts';

/** What was verified, and with what. */
export type Verified = Verification & {
  readonly chain: string;
  readonly publicKeys: PublicKeys;
};

/** Returns the findings and the summary as lines for people. */
export function verificationText(verified: Verified): string {
  const { findings, findingCount } = verified;
  const untold = findingCount - findings.length;
  return [
    `Chain ${visible(verified.chain)}`,
    ...findings.map(findingText),
    ...(untold > 0 ? [`  and ${untold} more findings`] : []),
    ...summaryOf(verified).map((line) => `  ${line}`),
    findingCount === 0
      ? 'Verified: nothing was found.'
      : `Not as it was: ${findingCount} findings.`,
    '',
  ].join('\n');
}

/** Returns one object in one line. */
export function verificationJson(verified: Verified): string {
  const { publicKeys, lastHead, keys, findings, findingCount, ...rest } = verified;
  return visibleJson(
    JSON.stringify({
      verified: findingCount === 0,
      ...rest,
      ...(lastHead && {
        lastHead: {
          sequence: lastHead.sequence,
          hash: lastHead.hash,
          time: isoTime(lastHead.signedAtUs),
          key: lastHead.keyId,
        },
      }),
      keys: keys.map(({ id, heads, isKnown }) => ({
        id,
        heads,
        known: isKnown,
        ...(textOf(id, publicKeys) && { publicKey: textOf(id, publicKeys) }),
      })),
      findingCount,
      findings,
    }),
  );
}

function findingText({ kind, text }: Finding): string {
  return `  ! ${kind}: ${visible(text)}`;
}

function summaryOf(verified: Verified): string[] {
  const { rows, from, to, heads, published, lastHead, unsigned, erased } = verified;
  const signed =
    lastHead === undefined
      ? rows === 0
        ? 'signed: nothing'
        : 'signed: NOTHING. Whoever could write to the store could have made all of these rows'
      : `signed: up to row ${lastHead.sequence}, at ${isoTime(lastHead.signedAtUs)}, by ${lastHead.keyId}`;
  return [
    rows === 0 ? 'rows: none' : `rows: ${rows}, from ${from} to ${to}`,
    ...(from > 1 ? [`removed before: rows 1 to ${from - 1}; a stub stands for them`] : []),
    ...(erased > 0 ? [`of persons who were forgotten: ${erased} rows`] : []),
    ...(verified.forgottenByUnknown > 0
      ? [`forgotten, by a key that is not known any more: ${verified.forgottenByUnknown} persons`]
      : []),
    signed,
    `after that, and held by their hashes alone: ${unsigned} rows`,
    `signed heads: ${heads} in the store, ${published} published`,
    ...verified.keys.map(({ id, heads: count, isKnown }) => keyText(verified, id, count, isKnown)),
  ];
}

function keyText({ publicKeys }: Verified, id: string, heads: number, isKnown: boolean): string {
  const key = isKnown ? `public key ${textOf(id, publicKeys)}` : 'not known here';
  return `key ${id}: ${heads} heads; ${key}`;
}

function textOf(id: string, publicKeys: PublicKeys): string | undefined {
  const key = publicKeys.get(id);
  return key && publicKeyText(key);
}
