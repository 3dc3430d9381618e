// Which versions of Caddy are safe: the floor, and why it is there. Compares; starts nothing.

/** A version as Caddy prints it. */
export type CaddyVersion = {
  /** As read, without the leading `v`: `2.11.4`, `2.12.0-beta.1`. */
  readonly text: string;
  readonly numbers: readonly [major: number, minor: number, patch: number];
  /** Comes before the release with the same numbers: a beta, or Go's name for a commit. */
  readonly prerelease: boolean;
};

/** A hole in Caddy that would let a caller speak for someone else. */
export type Advisory = {
  readonly ids: readonly string[];
  readonly fixedIn: string;
  /** What an attacker could do, in one clause. */
  readonly what: string;
};

/** The oldest Caddy behind which Signet is safe. */
export const CADDY_FLOOR = '2.11.4';

/** The oldest that does not confuse a gate with an app under load (SECURITY.md, "A late dial"). */
export const CADDY_ADVISED = '2.11.5';

/** What is better from there on: Signet's snippet stands against it (see there, `reverse_proxy.proxy`). */
const LATE_DIAL = 'GHSA-6365-7ppr-5r92';

/** The version that is fetched, where the way of fetching has a choice. */
export const CADDY_FETCHED = '2.11.9';

/** What is wrong below the floor, oldest fix first. */
export const ADVISORIES: readonly Advisory[] = [
  {
    ids: ['GHSA-7r4p-vjf4-gxv4', 'CVE-2026-30851'],
    fixedIn: '2.11.2',
    what: "a client's own copy of a `copy_headers` name reaches the app when the auth answer lacks it",
  },
  {
    ids: ['GHSA-f59h-q822-g45g', 'CVE-2026-52845'],
    fixedIn: '2.11.4',
    what: "a client's `Remote_User` rides beside the trusted `Remote-User`",
  },
  {
    ids: ['GHSA-j8px-rmrx-76h9', 'CVE-2026-77281'],
    fixedIn: '2.11.4',
    what: 'placeholders inside header values are expanded a second time',
  },
];

const VERSION = /^v?(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?/;

/**
 * Returns the version that a line of `caddy version` begins with, undefined when it names none
 * (`(devel)`, `unknown`). Of a replaced module (`v2.0.0 => fork@v2.11.4`) it is the replacement's.
 */
export function parseCaddyVersion(text: string): CaddyVersion | undefined {
  const replaced = text.split(' => ')[1];
  const match = VERSION.exec(replaced === undefined ? text.trim() : (replaced.split('@')[1] ?? ''));
  if (match === null) return undefined;
  const [whole, major, minor, patch, suffix] = match;
  return {
    text: whole.replace(/^v/, ''),
    numbers: [Number(major), Number(minor), Number(patch)],
    // A suffix of digits only is a packager's revision (`2.11.4-1`), which comes after the release.
    prerelease: suffix !== undefined && !/^-\d+$/.test(suffix),
  };
}

/** Returns the advisories that this version is open to; empty when it is safe to stand behind. */
export function unsafeBecause(version: CaddyVersion): readonly Advisory[] {
  return ADVISORIES.filter((advisory) => isBelow(version, advisory.fixedIn));
}

/** Returns why this version is not used, in one clause that names version, floor and advisories. */
export function describeUnsafe(version: CaddyVersion): string {
  const holes = unsafeBecause(version).map(({ ids, what }) => `${ids.join(', ')}: ${what}`);
  return `Caddy ${version.text} is below ${CADDY_FLOOR} (${holes.join('; ')})`;
}

/**
 * Returns what to say of a version that is used though another is advised, in one clause; undefined of all
 * others. `text` is a version's.
 */
export function describeUnadvised(text: string): string | undefined {
  const version = parseCaddyVersion(text);
  if (version === undefined || !isBelow(version, CADDY_ADVISED)) return undefined;
  return `Caddy ${text} will do; ${CADDY_ADVISED} or later is better (${LATE_DIAL}; SECURITY.md, "A late dial")`;
}

/** Returns whether the version comes before the one that the text names. */
export function isBelow(version: CaddyVersion, floorText: string): boolean {
  const floor = parseCaddyVersion(floorText);
  if (floor === undefined) throw new TypeError(`not a version: ${floorText}`);
  for (const [at, number] of version.numbers.entries()) {
    const difference = number - (floor.numbers[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return version.prerelease;
}
