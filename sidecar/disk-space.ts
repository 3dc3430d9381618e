// How much room is left on the disks of the state and of Caddy's log, and what to do when there is none. It
// looks and tells; requests go on whatever it finds.
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';

/** A folder, and what becomes of things when its disk is full: sentences for whoever runs this. */
export type DiskPlace = { readonly name: string; readonly folder: string; readonly advice: string };

export type Room = { readonly freeBytes: number; readonly bytes: number };

export type DiskWatch = {
  /** As `/readyz` has it; it looks anew each time. */
  state(): { readonly ready: boolean; readonly problem?: string };
  close(): void;
};

export type DiskWatchOptions = {
  readonly places: readonly DiskPlace[];
  /** Is told when something is wrong, or something else, and with undefined when nothing is any more. */
  readonly onChange: (problem: string | undefined) => void;
  readonly everyMs?: number;
};

const MiB = 1024 * 1024;
const EVERY_MS = 10_000;
/** A transaction of the store, or some hundred lines of the log. */
const FULL_BELOW_BYTES = MiB;
/** Nearly full: less than this share, and less than so much. */
const LOW_SHARE = 0.05;
const LOW_BELOW_BYTES = 1024 * MiB;

/** Returns the places that a sidecar's evidence needs. */
export function diskPlaces(stateFolder: string, accessLog: string): DiskPlace[] {
  return [
    {
      name: 'the state folder',
      folder: stateFolder,
      advice:
        "When it is full no row is stored and nobody can sign in; lines wait in Caddy's log, and those who are " +
        'signed in go on. Free some space there, give it a larger disk, or keep rows shorter (`retention.rows`)',
    },
    {
      name: "Caddy's log",
      folder: dirname(accessLog),
      advice:
        'When it is full Caddy drops lines: their requests are reported as lost decisions. Free some space ' +
        'there, or let Caddy keep fewer files (`roll_keep`)',
    },
  ];
}

/** Returns what watches the disks until it is closed. */
export function createDiskWatch(options: DiskWatchOptions): DiskWatch {
  const { places, onChange, everyMs = EVERY_MS } = options;
  let told: string | undefined;
  const look = () => diskProblem(places.map((place) => ({ ...place, room: roomIn(place.folder) })));

  function tell(): void {
    const problem = look();
    if (problem?.kind === told) return;
    told = problem?.kind;
    onChange(problem?.text);
  }

  const timer = setInterval(tell, everyMs).unref();
  tell();
  return {
    state: () => {
      const problem = look();
      return problem === undefined ? { ready: true } : { ready: false, problem: problem.text };
    },
    close: () => clearInterval(timer),
  };
}

type Looked = DiskPlace & { readonly room: Room | undefined };

/** Returns what is wrong: a text that counts, and a kind that stays the same as long as that does. Pure. */
export function diskProblem(
  places: readonly Looked[],
): { readonly kind: string; readonly text: string } | undefined {
  const found = places.flatMap(({ name, folder, advice, room }) => {
    const level = levelOf(room);
    if (level === undefined || room === undefined) return [];
    const free = `${megabytes(room.freeBytes)} of ${megabytes(room.bytes)} MiB are free`;
    const text = `the disk of ${name}, ${folder}, is ${level}: ${free}. ${advice}`;
    return [{ kind: `${name} ${level}`, text }];
  });
  if (found.length === 0) return undefined;
  return {
    kind: found.map(({ kind }) => kind).join(),
    text: found.map(({ text }) => text).join('. '),
  };
}

function levelOf(room: Room | undefined): 'full' | 'nearly full' | undefined {
  if (room === undefined) return undefined;
  const { freeBytes, bytes } = room;
  if (freeBytes < FULL_BELOW_BYTES) return 'full';
  const isLow = freeBytes < LOW_SHARE * bytes && freeBytes < LOW_BELOW_BYTES;
  return isLow ? 'nearly full' : undefined;
}

// One that isn't there is told of by whoever needs it.
function roomIn(folder: string): Room | undefined {
  try {
    const { bavail, blocks, bsize } = statfsSync(folder);
    return { freeBytes: bavail * bsize, bytes: blocks * bsize };
  } catch {
    return undefined;
  }
}

function megabytes(bytes: number): string {
  return bytes < 10 * MiB ? (bytes / MiB).toFixed(1) : String(Math.round(bytes / MiB));
}
