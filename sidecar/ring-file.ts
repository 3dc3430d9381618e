// The key ring's file for `signet keys`: read, changed, written whole. A running sidecar takes it over by itself.
import { readFileSync } from 'node:fs';
import type { RingFile, RingKey } from './commands/keys.ts';
import { addKey, promoteLast, removeKey } from './config/key-ring-text.ts';
import { deriveKeys, parseKeys, type KeyRing } from './config/keys.ts';
import { freshKey, writeKeys } from './config/write-keys.ts';
import { Fault } from './fault.ts';
import type { SessionStore } from './sessions/store.ts';
import { countSealedBy } from './sessions-access.ts';
import { idsOf } from './takeover.ts';

/** Returns the ring of this file. `openStore` opens the sessions that its keys seal. */
export function openRingFile(path: string, openStore: () => SessionStore): RingFile {
  const text = () => readFileSync(path, 'utf8');
  const ids = () => idsOf(ringOf(text()));

  function change(to: (text: string) => string): void {
    writeKeys(path, to(text()));
  }

  function add(where: 'first' | 'last'): string {
    change((before) => addKey(before, where, freshKey()));
    return ids().at(where === 'first' ? 0 : -1) ?? '';
  }

  async function sessionsOf(id: string): Promise<number | undefined> {
    const key = deriveKeys(ringOf(text()), 'session')[ids().indexOf(id)];
    const store = openStore();
    try {
      return await countSealedBy(store, key);
    } catch (error) {
      if (error instanceof Fault) return undefined;
      throw error;
    } finally {
      await store.close();
    }
  }

  return {
    path,
    keys: () => keysOf(text()),
    add,
    promoteLast: () => {
      change(promoteLast);
      return ids()[0] ?? '';
    },
    remove: (id) => change((before) => removeKey(before, id, idsOf)),
    sessionsOf,
  };
}

function ringOf(text: string): KeyRing {
  const parsed = parseKeys(text);
  if ('keys' in parsed) return parsed;
  throw new Fault('ERR_KEYS', `it is no key ring: ${parsed.problem}`);
}

// A comment stands behind a key that has a line of its own.
function keysOf(text: string): RingKey[] {
  const ids = idsOf(ringOf(text));
  let at = 0;
  return text.split('\n').flatMap((line) => {
    const [, content = '', comment] = /^([^#]*)(?:#\s*(.*))?$/.exec(line.trimEnd()) ?? [];
    const keys = content.split(',').filter((part) => part.trim() !== '');
    return keys.map(() => ({
      id: ids[at++] ?? '',
      ...(keys.length === 1 && comment !== undefined && { comment }),
    }));
  });
}
