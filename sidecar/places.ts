// Where the parts of the state lie in its folder, and what the machine says of itself.
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AUDIT_STORE_FILE, type AuditPlace } from './audit/open.ts';
import { Fault } from './fault.ts';
import type { Secret } from './secret.ts';

/** What has to be known to find the audit store. */
export type Place = { readonly stateFolder: string; readonly auditStore?: Secret };

/** Name of the file with this sidecar's chain, where the store is a database of several. */
const CHAIN_FILE = 'chain';

/** Returns where the audit store is, for its writer; the chain's name is made where it is needed. */
export function auditPlace({ stateFolder, auditStore }: Place): AuditPlace {
  if (auditStore === undefined) return { path: join(stateFolder, AUDIT_STORE_FILE) };
  return { url: auditStore.reveal(), chain: chainIn(stateFolder) };
}

/** Returns the file that shows that there is a store already. */
export function auditStoreFile({ stateFolder, auditStore }: Place): string {
  return join(stateFolder, auditStore === undefined ? AUDIT_STORE_FILE : CHAIN_FILE);
}

/** Returns the folder of the gate's journals. */
export function journalFolder(stateFolder: string): string {
  return join(stateFolder, 'decisions');
}

/** Returns the id that the kernel has made for this start of the machine; empty where it has none. */
export function machineBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

function chainIn(stateFolder: string): string {
  const path = join(stateFolder, CHAIN_FILE);
  const chain = readOrMade(stateFolder, path);
  if (/^[0-9a-f-]{36}$/.test(chain)) return chain;
  const mend = 'restore it, or take it away: a new chain is begun then';
  throw new Fault('ERR_STORE_DAMAGED', `${path} does not hold the name of a chain: ${mend}`);
}

function readOrMade(stateFolder: string, path: string): string {
  try {
    if (!existsSync(path)) makeChain(stateFolder, path);
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new Fault('ERR_AUDIT_STORE', `the chain's name can't be kept in ${path}`, { cause });
  }
}

// Under its name only when it is whole: one that was killed meanwhile leaves no half name behind.
function makeChain(stateFolder: string, path: string): void {
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
  const unfinished = `${path}.new`;
  writeFileSync(unfinished, `${randomUUID()}\n`, { mode: 0o600, flush: true });
  renameSync(unfinished, path);
}
