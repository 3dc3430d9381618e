// How much room is left on the disks of the state and of Caddy's log, and what to do when there is none. It
// looks and tells; requests go on whatever it finds, and wait for no disk that does not answer.
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A folder, and what becomes of things when its disk is full: sentences for whoever runs this. */
export type DiskPlace = { readonly name: string; readonly folder: string; readonly advice: string };

export type Room = {
  readonly freeBytes: number;
  readonly bytes: number;
  /** Files (inodes) that there can be; 0 where the file system has no bound of its own. */
  readonly files: number;
  readonly freeFiles: number;
};

export type DiskWatch = {
  /** As `/readyz` has it, by the last look; it begins another. */
  state(): { readonly ready: boolean; readonly problem?: string };
  close(): void;
  /** Whether a look is under way; after `close` and some time that is one on a disk that hangs. */
  isLooking(): boolean;
};

export type DiskWatchOptions = {
  readonly places: readonly DiskPlace[];
  /** Is told when something is wrong, or something else, and with undefined when nothing is any more. */
  readonly onChange: (problem: string | undefined) => void;
  readonly everyMs?: number;
  readonly hangsAfterMs?: number;
  /** Returns the room where a folder is, undefined where that can't be told; by default as the system says. */
  readonly look?: (folder: string) => Promise<Room | undefined>;
};

const MiB = 1024 * 1024;
const EVERY_MS = 10_000;
/** A transaction of the store, or some hundred lines of the log. */
const FULL_BELOW_BYTES = MiB;
/** The store's log and journal, the gate's journals. */
const FULL_BELOW_FILES = 10;
/** A disk of a network that does not answer for so long is told. */
const HANGS_AFTER_MS = 10_000;
/** Nearly full: less than this share, and less than so much. */
const LOW_SHARE = 0.05;
const LOW_BELOW_BYTES = 1024 * MiB;
const LOW_BELOW_FILES = 1000;

/** Returns the places that a sidecar's evidence needs. */
export function diskPlaces(
  stateFolder: string,
  accessLog: string,
  headsFile?: string,
): DiskPlace[] {
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
    ...(headsFile === undefined || dirname(headsFile) === stateFolder
      ? []
      : [
          {
            name: 'the published heads',
            folder: dirname(headsFile),
            advice:
              'When it is full no signed head is published; rows are stored all the same. Free some space there',
          },
        ]),
  ];
}

/** Returns what watches the disks until it is closed. */
export function createDiskWatch(options: DiskWatchOptions): DiskWatch {
  const { places, onChange, look = roomIn } = options;
  const { everyMs = EVERY_MS, hangsAfterMs = HANGS_AFTER_MS } = options;
  const rooms = new Map<DiskPlace, Room | undefined>();
  let asked: { readonly place: DiskPlace; readonly sinceMs: number } | undefined;
  let told: string | undefined;
  let isClosed = false;

  // One after the other, and never twice at once: each that hangs takes one of the process's few threads.
  async function lookAround(): Promise<void> {
    if (asked !== undefined || isClosed) return;
    for (const place of places) {
      asked = { place, sinceMs: performance.now() };
      rooms.set(place, await look(place.folder));
    }
    asked = undefined;
    tell();
  }

  function problemNow(): ReturnType<typeof diskProblem> {
    const isLate = asked !== undefined && performance.now() - asked.sinceMs > hangsAfterMs;
    const hanging = isLate ? asked?.place : undefined;
    return diskProblem(
      places.map((place) => ({
        ...place,
        room: rooms.get(place),
        isHanging: place === hanging,
      })),
    );
  }

  function tell(): void {
    const problem = problemNow();
    if (isClosed || problem?.kind === told) return;
    told = problem?.kind;
    onChange(problem?.text);
  }

  function watch(): void {
    void lookAround();
    tell();
  }

  const timer = setInterval(watch, everyMs).unref();
  watch();
  return {
    state: () => {
      void lookAround();
      const problem = problemNow();
      return problem === undefined ? { ready: true } : { ready: false, problem: problem.text };
    },
    close: () => {
      isClosed = true;
      clearInterval(timer);
    },
    isLooking: () => asked !== undefined,
  };
}

type Looked = DiskPlace & { readonly room: Room | undefined; readonly isHanging?: boolean };

/** Returns what is wrong: a text that counts, and a kind that stays the same as long as that does. Pure. */
export function diskProblem(
  places: readonly Looked[],
): { readonly kind: string; readonly text: string } | undefined {
  const found = places.flatMap((place) => {
    const { name, folder } = place;
    const what = wrongWith(place);
    if (what === undefined) return [];
    return [{ kind: `${name} ${what.kind}`, text: `the disk of ${name}, ${folder}, ${what.text}` }];
  });
  if (found.length === 0) return undefined;
  return {
    kind: found.map(({ kind }) => kind).join(),
    text: found.map(({ text }) => text).join('. '),
  };
}

function wrongWith({ advice, room, isHanging = false }: Looked) {
  if (isHanging) {
    const text = 'does not answer: whatever reads or writes there waits. See whether it is mounted';
    return { kind: 'hangs', text };
  }
  const level = levelOf(room);
  if (level === undefined || room === undefined) return undefined;
  const left = `${megabytes(room.freeBytes)} of ${megabytes(room.bytes)} MiB are free`;
  const files = room.files === 0 ? '' : `, and ${room.freeFiles} of ${room.files} files (inodes)`;
  return { kind: level, text: `is ${level}: ${left}${files}. ${advice}` };
}

function levelOf(room: Room | undefined): 'full' | 'nearly full' | undefined {
  if (room === undefined) return undefined;
  const { freeBytes, bytes, freeFiles, files } = room;
  // Of none at all: the file system does not say, or makes them as they are needed.
  const isFull = (free: number, all: number, below: number) => all > 0 && free < below;
  const isLow = (free: number, all: number, below: number) =>
    free < LOW_SHARE * all && free < below;
  if (isFull(freeBytes, bytes, FULL_BELOW_BYTES)) return 'full';
  if (isFull(freeFiles, files, FULL_BELOW_FILES)) return 'full';
  const isNearly =
    isLow(freeBytes, bytes, LOW_BELOW_BYTES) || isLow(freeFiles, files, LOW_BELOW_FILES);
  return isNearly ? 'nearly full' : undefined;
}

// One that isn't there is told of by whoever needs it.
async function roomIn(folder: string): Promise<Room | undefined> {
  try {
    const { bavail, blocks, bsize, files, ffree } = await statfs(folder);
    return { freeBytes: bavail * bsize, bytes: blocks * bsize, files, freeFiles: ffree };
  } catch {
    return undefined;
  }
}

function megabytes(bytes: number): string {
  return bytes < 10 * MiB ? (bytes / MiB).toFixed(1) : String(Math.round(bytes / MiB));
}
