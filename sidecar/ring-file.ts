// The key ring's file for `signet keys`: read, changed, written whole. A running sidecar takes it over by itself.
import { readFileSync } from 'node:fs';
import type { RingFile, RingKey } from './commands/keys.ts';
import { addKey, promoteLast, removeKey, stagedKey } from './config/key-ring-text.ts';
import { deriveKeys, parseKeys, type KeyRing } from './config/keys.ts';
import { changeKeys, freshKey } from './config/write-keys.ts';
import { Fault } from './fault.ts';
import type { SessionStore } from './sessions/store.ts';
import { countSealedBy } from './sessions-access.ts';
import { idsOf } from './takeover.ts';

/**
 * Returns the ring of this file. `openStore` opens the sessions that its keys seal; it throws a Fault where it is
 * not known which store that is.
 */
export function openRingFile(path: string, openStore: () => SessionStore): RingFile {
  const text = () => readFileSync(path, 'utf8');
  // Of the text that was written: by now, another command may have changed it again.
  const change = (to: (text: string) => string) => idsOf(ringOf(changeKeys(path, to)));

  function add(where: 'first' | 'last'): string {
    const ids = change((before) => addKey(before, where, freshKey()));
    return ids.at(where === 'first' ? 0 : -1) ?? '';
  }

  async function sessionsOf(id: string): Promise<number | undefined> {
    const ring = ringOf(text());
    const key = deriveKeys(ring, 'session')[idsOf(ring).indexOf(id)];
    // Gone meanwhile: no session of it would be found, and that is not to say that there is none.
    if (key === undefined) return undefined;
    let store: SessionStore | undefined;
    try {
      store = openStore();
      return await countSealedBy(store, key);
    } catch (error) {
      if (error instanceof Fault) return undefined;
      throw error;
    } finally {
      await store?.close();
    }
  }

  return {
    path,
    keys: () => keysOf(text()),
    add,
    staged: () => stagedKey(text(), idsOf),
    promoteLast: () => change(promoteLast)[0] ?? '',
    remove: (id) => void change((before) => removeKey(before, id, idsOf)),
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
