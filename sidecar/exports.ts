// What a program may import from the package `signet`: the names and types of what `signet audit`
// prints as JSON lines. The command is the interface of everything else; nothing here starts anything.
import type { fieldsOf } from './report/format-json.ts';

export { EVENT_CODES, EVENT_NAMES, ROW_KINDS, type EventName } from './audit/event.ts';
export { DECISIONS, REASONS, type Decision, type Reason } from './policy/reason.ts';
export { VERSION } from './version.ts';

/** One JSON line of `signet audit` or of `signet audit export`. What is unknown is absent from the line. */
export type AuditLine = ReturnType<typeof fieldsOf>;
