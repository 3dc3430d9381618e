// What is wrong with the recorder and its destinations, told for the log: each of them once when it begins,
// and once when it has ended. Pure.
import { TROUBLES } from './delivery/delivery-state.ts';
import type { RecorderState } from './recorder-state.ts';

/** What was told. */
export type Trouble = {
  readonly of: 'recording' | 'decisions' | 'retention' | 'metrics' | (typeof TROUBLES)[number];
  /** By the name of its cursor; of metrics by its own. */
  readonly destination?: string;
  readonly status?: string;
  /** Undefined when it has ended. */
  readonly problem?: string;
};

/** Returns what tells of a state what is new in it. */
export function createTroubles(tell: (trouble: Trouble) => void): (state: RecorderState) => void {
  /** By place: as what it was told. */
  const told = new Map<string, string>();

  function hear(kind: string | undefined, trouble: Trouble): void {
    const place = `${trouble.of} ${trouble.destination ?? ''}`;
    if (told.get(place) === kind) return;
    if (kind === undefined) told.delete(place);
    else told.set(place, kind);
    tell(trouble);
  }

  function hearOwn(of: 'recording' | 'decisions', problem: string | undefined): void {
    hear(problem, { of, ...(problem !== undefined && { problem }) });
  }

  return ({ problem, decisions, retention, destinations, metrics }) => {
    hearOwn('recording', problem);
    hearOwn('decisions', decisions.warning);
    const old = retention?.problem;
    hear(old && retention?.status, {
      of: 'retention',
      ...(old !== undefined && { problem: old }),
    });
    // A destination that isn't in the state is not known: nothing of it has ended.
    for (const [destination, { status, troubles = {} }] of Object.entries(destinations)) {
      for (const of of TROUBLES) {
        const text = troubles[of];
        // The texts count and quote: the same trouble in other words is none that is new.
        const kind = of === 'sending' ? status : of;
        const what = { of, destination, status, ...(text !== undefined && { problem: text }) };
        hear(text === undefined ? undefined : kind, what);
      }
    }
    for (const [destination, { problem: text }] of Object.entries(metrics)) {
      const what = { of: 'metrics', destination, ...(text !== undefined && { problem: text }) };
      hear(text === undefined ? undefined : 'failed', what as Trouble);
    }
  };
}

/** Returns what it means, in a sentence that says whether evidence or its delivery is concerned. */
export function troubleText({ of, destination = '', problem }: Trouble): string {
  const isOver = problem === undefined;
  const items = destination.endsWith('/logs') ? 'log records' : 'spans';
  switch (of) {
    case 'recording':
      return isOver ? 'evidence is recorded again' : 'evidence is not recorded; requests go on';
    case 'decisions':
      return isOver
        ? 'no evidence of decisions is missing lately'
        : 'evidence of decisions is missing; requests go on';
    case 'retention':
      return isOver
        ? 'old rows are removed as they should be again'
        : 'the removal of old rows needs a look';
    case 'metrics':
      return isOver
        ? `metrics are delivered to ${destination} again`
        : `metrics are not delivered to ${destination}`;
    case 'store':
    case 'sending':
      return isOver
        ? `${items} are delivered to ${destination} again`
        : `${items} are not delivered to ${destination}; they are kept, and evidence is recorded`;
    case 'credentials':
      return isOver
        ? `the credentials of ${destination} can be read again`
        : `the credentials of ${destination} can't be read`;
    case 'loss':
      return isOver
        ? `what ${destination} had refused was sent again`
        : `some ${items} were not taken by ${destination}; evidence is recorded`;
  }
}
