// What a .cpuprofile says: where a thread's time went, by function and by room. Pure.

/** A V8 CPU profile, as far as it is read here. */
export type CpuProfile = {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: CallFrame;
  }[];
  /** Ids of nodes, one at each look. */
  readonly samples: readonly number[];
};

type CallFrame = {
  readonly functionName: string;
  readonly url: string;
  /** From 0. */
  readonly lineNumber: number;
};

/** A share of all that was not idle, from 0 to 1. */
export type Share = { readonly name: string; readonly share: number };

export type Shares = {
  readonly byFunction: readonly Share[];
  readonly byPlace: readonly Share[];
  /** Samples that were not idle. */
  readonly samples: number;
};

/**
 * Returns the shares of the samples, largest first. Places under `root` are told by
 * their room or, at the top, by their file; packages by their name.
 */
export function sharesOf(profile: CpuProfile, root: string): Shares {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const functions = new Map<string, number>();
  const places = new Map<string, number>();
  let samples = 0;
  for (const id of profile.samples) {
    const frame = frames.get(id);
    if (frame === undefined || frame.functionName === '(idle)') continue;
    samples += 1;
    count(functions, functionName(frame, root));
    count(places, placeOf(frame, root));
  }
  return {
    byFunction: toShares(functions, samples),
    byPlace: toShares(places, samples),
    samples,
  };
}

function functionName(frame: CallFrame, root: string): string {
  const name = frame.functionName === '' ? '(anonymous)' : frame.functionName;
  if (frame.url === '') return name;
  return `${name} ${shortUrl(frame.url, root)}:${frame.lineNumber + 1}`;
}

function shortUrl(url: string, root: string): string {
  const path = url.replace(/^file:\/\//, '');
  const ofPackage = path.lastIndexOf('/node_modules/');
  if (ofPackage >= 0) return path.slice(ofPackage + '/node_modules/'.length);
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}

function placeOf(frame: CallFrame, root: string): string {
  if (frame.url === '') return frame.functionName.startsWith('(') ? frame.functionName : 'native';
  if (frame.url.startsWith('node:')) return 'node';
  const path = shortUrl(frame.url, root);
  if (frame.url.includes('/node_modules/')) return packageOf(path);
  const [top = '', room = '', ...rest] = path.split('/');
  return rest.length === 0 ? path : `${top}/${room}`;
}

function packageOf(path: string): string {
  const [scope = '', name = ''] = path.split('/');
  return `npm ${scope.startsWith('@') ? `${scope}/${name}` : scope}`;
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function toShares(counts: ReadonlyMap<string, number>, all: number): Share[] {
  return [...counts]
    .map(([name, number]) => ({ name, share: number / all }))
    .toSorted((one, other) => other.share - one.share);
}
