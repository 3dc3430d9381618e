// What a delivery needs of the store: the rows are the queue, and the cursor is the place in it.
import type { AuditStore } from '../audit/store.ts';

/** The store, as a delivery sees it. All of it may reject with store faults. */
export type Outbox = Pick<AuditStore, 'rowsAfter' | 'mark' | 'cursor' | 'moveCursor' | 'note'>;
