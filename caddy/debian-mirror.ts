// Which archive of Debian this system uses, by its source lists. Reads no file. What it finds is a guess: whether
// it is Debian's is for the signature of its lists to say, which is checked against Debian's keyring only.

/** Suites that may stand in a source list in place of the release's codename. */
const OTHER_SUITES = ['stable', 'testing', 'unstable', 'sid'];

type Source = {
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** As it is written: keyring files, fingerprints; undefined where none is named, or a key stands there itself. */
  readonly signedBy?: string | undefined;
};

/**
 * Returns the URI of the archive that is most likely Debian's for the release `codename`, undefined when there is
 * none. Reads both formats of sources.list(5). `deb … stable main` is what many vendors' lines look like, too:
 * one that is signed by another's keyring is none of Debian's.
 */
export function findMirror(lists: readonly string[], codename: string): string | undefined {
  const wanted = [codename, ...OTHER_SUITES];
  return lists
    .flatMap((text) => [...oneLineSources(text), ...stanzaSources(text)])
    .filter(({ suites }) => suites.some((suite) => wanted.includes(suite)))
    .filter(({ components }) => components.includes('main'))
    .filter(({ signedBy }) => signedBy?.startsWith('/') !== true || isDebians(signedBy))
    .toSorted((one, other) => likelihood(other) - likelihood(one))[0]?.uri;
}

/** The package debian-archive-keyring names its files so. */
function isDebians(signedBy: string): boolean {
  return signedBy.split(/[\s,]+/).every((file) => /\/debian-archive-[\w.-]+$/.test(file));
}

function likelihood({ uri, signedBy }: Source): number {
  if (signedBy !== undefined && isDebians(signedBy)) return 2;
  return /\/debian\/?$/.test(uri) ? 1 : 0;
}

/** `deb [signed-by=/a/key] http://mirror suite component…` */
function oneLineSources(text: string): Source[] {
  const lines = text.matchAll(/^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)[ \t]+(\S.*)$/gm);
  return [...lines].map(([, options = '', uri = '', suite = '', components = '']) => ({
    uri,
    suites: [suite],
    components: words(components.replace(/#.*/, '')),
    signedBy: /signed-by=(\S+)/i.exec(options)?.[1],
  }));
}

/** `Types: deb`, `URIs:`, `Suites:`, `Components:`, `Signed-By:`, in stanzas with blank lines between. */
function stanzaSources(text: string): Source[] {
  const field = (stanza: string, name: string) =>
    new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(stanza)?.[1]?.trim() ?? '';
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const [uri] = words(field(stanza, 'URIs'));
    const isBinary = words(field(stanza, 'Types')).includes('deb');
    if (uri === undefined || !isBinary || /^Enabled:\s*no/im.test(stanza)) return [];
    const [suites, components] = [field(stanza, 'Suites'), field(stanza, 'Components')].map(words);
    const signedBy = field(stanza, 'Signed-By') || undefined;
    return [{ uri, suites: suites ?? [], components: components ?? [], signedBy }];
  });
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
