// Where the audit store lies, and how it is opened: an SQLite file, or a PostgreSQL database that
// several sidecars share, each with a chain of its own.
import { existsSync } from 'node:fs';
import { Fault } from '../fault.ts';
import type { Database } from './database.ts';
import { createAuditReader, type AuditReader } from './reader.ts';
import { openSqlite, openSqliteForReading } from './sqlite.ts';
import { createAuditStore, type AuditStore } from './store.ts';

/** A file; or a database's URL (a secret, it holds the password) and the chain that this sidecar writes. */
export type AuditPlace =
  { readonly path: string } | { readonly url: string; readonly chain: string };

/** Name of the store in the state folder. */
export const AUDIT_STORE_FILE = 'audit.db';

/**
 * Returns the store for the one writer of its chain. Throws ERR_STORE_DAMAGED or ERR_STORE_NEWER for
 * one that must not be written to, and ERR_AUDIT_STORE for whatever else fails, here and later.
 */
export async function openAuditStore(place: AuditPlace): Promise<AuditStore> {
  const database = await openDatabase(place);
  try {
    return await createAuditStore(database, await chainOf(database));
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Returns the database for whoever changes more than a recorder does: forgetting, removing. */
export async function openDatabase(place: AuditPlace): Promise<Database> {
  if (!('url' in place)) return openSqlite(place.path);
  // Loaded only where it is used: most have the file.
  const { openPostgres } = await import('./postgres.ts');
  return openPostgres(place.url, place.chain);
}

/** Returns a reader of the store, beside its writers or without one. Faults as `openAuditStore`. */
export async function openAuditReader(place: AuditPlace | { url: string }): Promise<AuditReader> {
  if ('url' in place) {
    const { openPostgresForReading } = await import('./postgres.ts');
    return createAuditReader(await openPostgresForReading(place.url));
  }
  if (!existsSync(place.path))
    throw new Fault('ERR_AUDIT_STORE', `There is no audit store at ${place.path} yet.`);
  return createAuditReader(openSqliteForReading(place.path));
}

/** Returns the chain that a connection writes to: the tables themselves say which. */
async function chainOf(database: Database): Promise<string> {
  const sql =
    "INSERT INTO notes (name, value) VALUES ('begun', '') " +
    "ON CONFLICT (chain, name) DO UPDATE SET value = '' RETURNING chain";
  const [found] = await database.all(sql);
  return String(found?.['chain']);
}
