// The record for `signet doctor`: opened where `--state` or the settings say, or why it is not looked at.
import type { AuditReader } from '../audit/reader.ts';
import { openAuditReader } from '../audit/open.ts';
import type { Known } from '../doctor/examination.ts';
import { explain } from '../fault.ts';
import type { RecordParts } from '../report/whereabouts.ts';

/** Returns its reader, which is to be closed. Never rejects. */
export async function readerAt(
  state: string | undefined,
  settings: Known<unknown>,
  { locate }: RecordParts,
): Promise<Known<AuditReader>> {
  // By defaults alone it could be anybody's.
  if (state === undefined && 'why' in settings) return settings;
  try {
    return { is: await openAuditReader(locate(state).place) };
  } catch (error) {
    const mend = 'name the state folder by --state, as a user who may read it';
    return { why: `${explain(error)} (${mend})` };
  }
}
