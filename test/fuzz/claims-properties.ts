// What holds of an identity, whatever the claims: each value is the claim's own or none, within its bounds; and what
// headers, baggage and stamp are made of it can be carried. `__proto__` and its like are names like others.
import { createSecretKey } from 'node:crypto';
import {
  DEFAULT_CLAIM_NAMES,
  identityFromClaims,
  type ClaimNames,
  type Claims,
} from '../../sidecar/identity/claims.ts';
import { identityHeaders, MAX_GROUPS_BYTES } from '../../sidecar/identity/headers.ts';
import {
  actorDepth,
  MAX_ACTOR_DEPTH,
  MAX_CLAIM_CHARS,
  MAX_LIST_ITEMS,
  type Identity,
} from '../../sidecar/identity/identity.ts';
import { MAX_STAMP_CHARS, openStamp, sealStamp, stampedIdentity } from '../../sidecar/stamp.ts';
import { identityBaggage, MAX_BYTES } from '../../sidecar/trace/baggage.ts';
import type { Random } from '../fixtures/random.ts';
import { stamp } from '../fixtures/stamps.ts';
import type { Tally } from './properties.ts';
import { count, ODD_TEXTS, type Subject } from './subject.ts';
import { oneOf } from './world.ts';

/** Names as an operator might map them, odd ones among them. */
const MAPPINGS: readonly ClaimNames[] = [
  DEFAULT_CLAIM_NAMES,
  { ...DEFAULT_CLAIM_NAMES, user: 'email', roles: 'realm_access.roles', team: 'constructor' },
  {
    ...DEFAULT_CLAIM_NAMES,
    user: '__proto__.x',
    roles: 'toString',
    groups: 'https://a.example/groups',
  },
  { ...DEFAULT_CLAIM_NAMES, roles: 'realm_access.constructor.name', team: 'x.toString.name' },
];

export const CLAIMS: Subject = {
  name: 'claims',
  seeds: [
    '{"sub":"alice","preferred_username":"alice","team":"payments","groups":["team-a"],"roles":["x"]}',
    '{"sub":"alice","email":"a@b.example","email_verified":true,"name":"Alice","act":{"sub":"robot"}}',
    '{"sub":"a","__proto__":{"x":"root"},"realm_access":{},"x":{}}',
    `{"sub":"a",${'"act":{"sub":"b",'.repeat(6)}"x":1${'}'.repeat(7)}`,
    '{"sub":"s","client_id":"s","scope":"read write","realm_access":{"roles":["admin"]}}',
  ],
  units: [
    '{',
    '}',
    '[',
    ']',
    '"',
    ':',
    ',',
    'null',
    '1e999',
    '"__proto__":{"x":"root"},',
    '"sub":"x",',
    '\\ud800',
  ],
  make: madeClaims,
  faultOf: claimsFault,
  work: claimsOf,
  frames: [
    (filler) => JSON.stringify({ sub: 'a', name: filler, scope: filler, groups: [filler] }),
    (filler) => JSON.stringify({ sub: 'a', groups: filler.split(''), roles: filler.split('') }),
  ],
  reached: ['identities', 'claims refused', 'no claims at all'],
};

const CLAIM_NAMES = [
  ...[
    'sub',
    'preferred_username',
    'email',
    'email_verified',
    'name',
    'team',
    'groups',
    'roles',
    'scope',
  ],
  ...[
    'scp',
    'act',
    'user_type',
    'client_id',
    'azp',
    'cid',
    'idtyp',
    'gty',
    '_claim_names',
    'hasgroups',
  ],
  ...['realm_access', '__proto__', 'constructor', 'toString', 'x', 'https://a.example/groups'],
];

function madeClaims(random: Random): string {
  const members = Array.from({ length: 1 + random.below(8) }, () => {
    const name = random.below(3) > 0 ? oneOf(random, CLAIM_NAMES) : 'sub';
    return `${JSON.stringify(name)}:${madeValue(random, 6)}`;
  });
  return `{${members.join(',')}}`;
}

function madeValue(random: Random, depthLeft: number): string {
  const kind = random.below(depthLeft === 0 ? 6 : 10);
  if (kind < 3) return JSON.stringify(oneOf(random, ODD_TEXTS));
  if (kind < 5)
    return JSON.stringify(
      oneOf(random, ['alice', 'team-a', 'human', 'a b', 'z'.repeat(256), 'z'.repeat(257)]),
    );
  if (kind === 5) return oneOf(random, ['null', 'true', 'false', '0', '-1e999', '""', '[]', '{}']);
  const inner = () => madeValue(random, depthLeft - 1);
  if (kind === 6) return `{"sub":${inner()},"act":${inner()}}`;
  if (kind === 7) return `{"roles":${inner()},"__proto__":${inner()}}`;
  const many = random.below(30) > 0 ? random.below(4) : random.below(300);
  return `[${Array.from({ length: many }, inner).join(',')}]`;
}

function parsed(text: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Claims)
      : undefined;
  } catch {
    return undefined;
  }
}

function claimsOf(text: string): void {
  const claims = parsed(text);
  if (claims !== undefined) identityOf(claims, DEFAULT_CLAIM_NAMES);
}

function identityOf(claims: Claims, names: ClaimNames): ReturnType<typeof identityFromClaims> {
  return identityFromClaims(claims, {
    ...{ issuer: 'https://idp.example', method: 'bearer', names, expiresAtMs: 1e15 },
  });
}

function claimsFault(text: string, tally: Tally): string | undefined {
  const claims = parsed(text);
  if (claims === undefined) {
    count(tally, 'no claims at all');
    return undefined;
  }
  for (const names of MAPPINGS) {
    const made = identityOf(claims, names);
    count(tally, 'refused' in made ? 'claims refused' : 'identities');
    const fault = 'refused' in made ? undefined : identityFault(made, claims);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

const FIELDS = new Set([
  ...[
    'issuer',
    'provider',
    'subject',
    'user',
    'name',
    'email',
    'groups',
    'groupsIncomplete',
    'team',
  ],
  ...['roles', 'scopes', 'type', 'actor', 'method', 'expiresAtMs', 'sessionHash'],
]);

function identityFault(made: Identity, claims: Claims): string | undefined {
  if (Object.keys(made).some((field) => !FIELDS.has(field))) return 'it has another field';
  if (!Object.hasOwn(claims, 'sub') || made.subject !== claims['sub']) return 'sub is another one';
  const inherited = [made.user, made.team, ...made.roles];
  if (['root', 'Object', 'toString'].some((name) => isFromPrototype(name, inherited, claims)))
    return 'a prototype’s value was believed';
  const { user, subject, email, team, groups, roles, scopes, actor } = made;
  if (actorDepth(made) > MAX_ACTOR_DEPTH) return 'too many actors';
  if ([groups, roles, scopes].some((list) => list.length > MAX_LIST_ITEMS))
    return 'too many of them';
  const compared = [user, subject, email, team, ...groups, ...roles, ...scopes, actor?.subject];
  const unsound = compared.find((value) => value !== undefined && !isSound(value));
  if (unsound !== undefined) return `${JSON.stringify(unsound)} is no name`;
  if ((made.name?.length ?? 0) > MAX_CLAIM_CHARS || made.name?.isWellFormed() === false)
    return 'the display name';
  return carriedFault(made);
}

// `x.toString.name` of an object without members, unless the claims say that word themselves.
function isFromPrototype(
  name: string,
  found: readonly (string | undefined)[],
  claims: Claims,
): boolean {
  if (!found.includes(name)) return false;
  return name === 'root' || !JSON.stringify(claims).includes(`"${name}"`);
}

function isSound(value: string): boolean {
  const isBounded = value !== '' && value.length <= MAX_CLAIM_CHARS;
  return isBounded && value.isWellFormed() && !value.split('').some(isControl);
}

function isControl(character: string): boolean {
  const code = character.charCodeAt(0);
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

const KEY = createSecretKey(Buffer.alloc(32, 7));

function carriedFault(made: Identity): string | undefined {
  const headers = identityHeaders(made);
  if (!headers.every((text) => /^[!-~](?:[ -~]*[!-~])?$/.test(text)))
    return 'a header holds what none may';
  const groups = headers[headers.indexOf('Remote-Groups') + 1] ?? '';
  if (headers.includes('Remote-Groups') && groups.length > MAX_GROUPS_BYTES)
    return 'too many groups';
  const user = headers[headers.indexOf('Remote-User') + 1] ?? '';
  if (decodeURIComponent(user) !== made.user) return 'Remote-User is another user';
  const baggage = identityBaggage(made);
  if (baggage.length > MAX_BYTES || !/^[!-~]+$/.test(baggage)) return 'the baggage';
  return sealedFault(made);
}

function sealedFault(made: Identity): string | undefined {
  const sealed = stamp({ identity: stampedIdentity(made) });
  const text = sealStamp(sealed, KEY);
  if (text.length > MAX_STAMP_CHARS) return `a stamp of ${text.length} characters`;
  const opened = openStamp(text, [KEY], sealed.requestId)?.identity;
  const isSame = JSON.stringify(opened) === JSON.stringify(sealed.identity);
  return isSame ? undefined : 'the stamp opens to somebody else';
}
