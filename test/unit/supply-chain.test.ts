// What of others comes with Signet: exact versions with hashes, licences that were read, a list of it for machines and one
// for people, and no program that runs when it is installed.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { ALLOWED_LICENCES, licencesText } from '../../build/licences.ts';
import { packageManifest, type Manifest } from '../../build/manifest.ts';
import { sbom } from '../../build/sbom.ts';
import { directNeeds, shippedPackages, type LockedPackage } from '../../build/shipped.ts';
import { shrinkwrap, type Lock } from '../../build/shrinkwrap.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const json = <T>(file: string) => JSON.parse(readFileSync(join(ROOT, file), 'utf8')) as T;

type OurManifest = Manifest & {
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
  readonly scripts: Readonly<Record<string, string>>;
};

const ours = json<OurManifest>('package.json');
const lock = json<Lock>('package-lock.json');
const manifest = packageManifest(ours, () => true);
const packages = lock.packages as Readonly<
  Record<string, LockedPackage & { readonly dev?: boolean; readonly resolved?: string }>
>;
const others = Object.entries(packages).filter(([path]) => path !== '');

function bomOf(of: Lock) {
  const theirs = shrinkwrap(of, manifest);
  return sbom({ manifest, shipped: shippedPackages(theirs), needs: directNeeds(theirs) });
}

/** Our lock with another entry in it, or with one changed. */
function lockWith(path: string, changes: LockedPackage) {
  const entry: { -readonly [Key in keyof LockedPackage]: LockedPackage[Key] } = {
    version: '1.0.0',
    integrity: 'sha512-AAAA',
    license: 'MIT',
    ...changes,
  };
  return { ...lock, packages: { ...lock.packages, [path]: entry } as Record<string, typeof entry> };
}

const shippedOf = (of: Lock) => shippedPackages(shrinkwrap(of, manifest));

describe('the lock', () => {
  test('is of today’s package.json, and every version there is an exact one', () => {
    const { '': root } = lock.packages as Record<string, Partial<OurManifest>>;
    const { dependencies, devDependencies } = ours;
    expect(root).toMatchObject({ dependencies, devDependencies });
    const versions = Object.values({ ...dependencies, ...devDependencies });
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  test('has a version and a SHA-512 for each package', () => {
    const bare = others.filter(
      ([, { version, integrity }]) => !version || !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''),
    );
    expect(bare.map(([path]) => path)).toEqual([]);
  });

  test('names no other source than the registry: no link, no file, no repository', () => {
    const elsewhere = others.filter(
      ([, { resolved = '' }]) => resolved !== '' && !/^https:\/\/[^/]+\/.*\.tgz$/.test(resolved),
    );
    expect(elsewhere).toEqual([]);
  });
});

describe('scripts at an installation', () => {
  /** What they do is done without them, too: native parts come as packages of their own. */
  const NOT_RUN = ['@parcel/watcher', '@swc/core', 'protobufjs', 'unrs-resolver'];

  test('are known: one that runs here, for development alone, and those that need not run', () => {
    const scripted = others.filter(([, { hasInstallScript }]) => hasInstallScript === true);
    const names = scripted.map(([path]) => path.replace(/.*node_modules\//, ''));
    expect(names.toSorted()).toEqual([...NOT_RUN, 'node'].toSorted());
    expect(ours.allowScripts).toEqual({ node: true });
    expect(packages['node_modules/node']?.dev).toBe(true);
  });

  test('are none of ours, neither in the repository nor in what we ship', () => {
    const byItself = /^(?:pre|post)?(?:install|prepare|publish|pack|version)|^prepublishOnly$/;
    expect(Object.keys(ours.scripts).filter((name) => byItself.test(name))).toEqual([]);
    expect(manifest).not.toHaveProperty('scripts');
  });

  test('of a new dependency stop the build', () => {
    const with_ = lockWith('node_modules/runs', { hasInstallScript: true });
    expect(() => shippedOf(with_)).toThrow('runs would run a script when it is installed');
  });
});

describe('the list for machines', () => {
  const digest = z.object({
    alg: z.literal('SHA-512'),
    content: z.string().regex(/^[0-9a-f]{128}$/),
  });
  const licence = z.strictObject({ license: z.strictObject({ id: z.string() }) });
  const component = z.strictObject({
    type: z.enum(['application', 'library']),
    'bom-ref': z.string().min(1),
    group: z.string().regex(/^@/).optional(),
    name: z.string().min(1),
    version: z.string().regex(/^\d+\.\d+\.\d+/),
    description: z.string().optional(),
    scope: z.enum(['required', 'optional']).optional(),
    hashes: z.array(digest).length(1).optional(),
    licenses: z.array(licence).length(1),
    purl: z.string().regex(/^pkg:npm\/(?:%40[^/@]+\/)?[^/@]+@[^@]+$/),
  });
  const dependency = z.strictObject({ ref: z.string(), dependsOn: z.array(z.string()) });
  const CYCLONEDX = z.strictObject({
    $schema: z.literal('http://cyclonedx.org/schema/bom-1.6.schema.json'),
    bomFormat: z.literal('CycloneDX'),
    specVersion: z.literal('1.6'),
    serialNumber: z
      .string()
      .regex(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/),
    version: z.literal(1),
    metadata: z.strictObject({
      lifecycles: z.array(z.object({ phase: z.literal('build') })),
      component,
    }),
    components: z.array(component.required({ scope: true, hashes: true })).min(1),
    dependencies: z.array(dependency),
  });
  const bom = bomOf(lock);
  const refs = bom.components.map(({ purl }) => purl);

  test('is CycloneDX 1.6, by what the schema asks of it', () => {
    expect(CYCLONEDX.parse(bom)).toEqual(bom);
  });

  test('has each shipped package once, with the lock’s version, licence and hash, and nothing of development', () => {
    const theirs = shrinkwrap(lock, manifest).packages as Readonly<Record<string, LockedPackage>>;
    const shipped = Object.entries(theirs).filter(([path]) => path !== '');
    const wanted = shipped.map(([path, { version, license, integrity = '' }]) => {
      const name = path.replace(/.*node_modules\//, '').replace('@', '%40');
      const content = Buffer.from(integrity.slice(7), 'base64').toString('hex');
      return [`pkg:npm/${name}@${version}`, license, content].join(' ');
    });
    const listed = bom.components.map(({ purl, licenses, hashes }) =>
      [purl, licenses[0]?.license.id, hashes[0]?.content].join(' '),
    );
    expect(listed.toSorted()).toEqual([...new Set(wanted)].toSorted());
    expect(
      refs.filter((purl) => /^pkg:npm\/(?:jest|typescript|prettier|node)@/.test(purl)),
    ).toEqual([]);
  });

  test('says what needs what, and every package is needed by way of ours', () => {
    const needs = new Map(bom.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
    const reached = new Set<string>();
    const reach = (ref: string) => {
      if (reached.has(ref)) return;
      reached.add(ref);
      needs.get(ref)?.forEach(reach);
    };
    const self = bom.metadata.component.purl;
    expect(needs.get(self)).toHaveLength(Object.keys(ours.dependencies).length);
    reach(self);
    expect([...reached].toSorted()).toEqual([self, ...refs].toSorted());
  });

  test('is the same bytes for the same lock, and of another number for another one', () => {
    expect(JSON.stringify(bomOf(lock))).toBe(JSON.stringify(bom));
    const another = bomOf(lockWith('node_modules/another', {}));
    expect(another.serialNumber).not.toBe(bom.serialNumber);
    expect(another.components).toHaveLength(bom.components.length + 1);
  });

  test('has what npm’s own list of the same lock has', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'signet-sbom-'));
    try {
      writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
      const theirs = JSON.stringify(shrinkwrap(lock, manifest));
      writeFileSync(join(folder, 'npm-shrinkwrap.json'), theirs);
      const options = ['--sbom-format', 'cyclonedx', '--package-lock-only'];
      const { stdout } = await promisify(execFile)('npm', ['sbom', ...options], {
        cwd: folder,
        maxBuffer: 16 * 1024 * 1024,
      });
      const { components } = JSON.parse(stdout) as typeof bom;
      const facts = (all: typeof bom.components) =>
        all.map(({ purl, licenses, hashes }) => JSON.stringify([purl, licenses, hashes]));
      expect(facts(components).toSorted()).toEqual(facts(bom.components).toSorted());
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each([
    ['version', 'version'],
    ['integrity', 'integrity'],
    ['licence', 'license'],
  ] as const)('stops the build where a package has no %s', (_, lacking) => {
    const with_ = lockWith('node_modules/bare', {});
    delete with_.packages['node_modules/bare']?.[lacking];
    expect(() => shippedOf(with_)).toThrow('node_modules/bare: the lock lacks its');
  });

  test('finds what a package needs where Node finds it: beside it first', () => {
    const entry = { integrity: 'sha512-AAAA', license: 'MIT' };
    const nested = {
      ...lock,
      packages: {
        'node_modules/a': { ...entry, version: '1.0.0', dependencies: { b: '1' } },
        'node_modules/a/node_modules/b': { ...entry, version: '1.0.0', dependencies: { c: '1' } },
        'node_modules/b': { ...entry, version: '2.0.0', dependencies: { c: '1' } },
        'node_modules/c': { ...entry, version: '3.0.0' },
      },
    };
    const needs = shippedOf(nested).map(({ purl, needs: found }) => [purl, found.join()]);
    expect(Object.fromEntries(needs)).toEqual({
      'pkg:npm/a@1.0.0': 'pkg:npm/b@1.0.0',
      'pkg:npm/b@1.0.0': 'pkg:npm/c@3.0.0',
      'pkg:npm/b@2.0.0': 'pkg:npm/c@3.0.0',
      'pkg:npm/c@3.0.0': '',
    });
  });
});

describe('the list for people', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'signet-licences-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** One installed package, and the list of it. */
  function listOf(files: Readonly<Record<string, string>>, changes: LockedPackage = {}): string {
    const place = join(folder, 'node_modules/one');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'package.json'), '{ "version": "1.0.0" }');
    for (const [name, text] of Object.entries(files)) writeFileSync(join(place, name), text);
    const entry = { version: '1.0.0', integrity: 'sha512-AAAA', license: 'MIT', ...changes };
    const shipped = shippedOf({ ...lock, packages: { 'node_modules/one': entry } });
    return licencesText(shipped, folder);
  }

  test('names each shipped package with its version and licence, and has a text of each', () => {
    const shipped = shippedOf(lock);
    const text = licencesText(shipped, ROOT);
    const [, listed = '', ...texts] = text.split('\n\n');
    expect(listed.split('\n')).toEqual(
      shipped.map(({ name, version, licence }) => `${name} ${version}: ${licence}`),
    );
    const titled = texts.join('\n\n').split('\n');
    const untold = shipped.filter(({ name, version }) => !titled.includes(`${name} ${version}`));
    expect(untold).toEqual([]);
    expect(text.match(/Permission is hereby granted, free of charge/g)?.length).toBeGreaterThan(20);
  });

  test('has the notices that the Apache licence asks for', () => {
    const text = licencesText(shippedOf(lock), ROOT);
    const notice = readFileSync(join(ROOT, 'node_modules/import-in-the-middle/NOTICE'), 'utf8');
    expect(text).toContain(notice.trim());
  });

  test('stops the build at a licence that nobody has read', () => {
    const refused = () => listOf({ LICENSE: 'You owe us.' }, { license: 'BUSL-1.1' });
    expect(refused).toThrow('not an allowed licence: one 1.0.0 (BUSL-1.1)');
  });

  test('stops the build at a package without a text', () => {
    expect(() => listOf({ 'README.md': '## License\n\nMIT' })).toThrow(
      'one 1.0.0 comes without the text of its licence',
    );
  });

  test('stops the build where another version is installed than is locked', () => {
    expect(() => listOf({ LICENSE: 'MIT' }, { version: '1.0.1' })).toThrow('npm ci');
  });

  test('allows licences by name, each with a reason', () => {
    expect(Object.values(ALLOWED_LICENCES).every((reason) => reason.length > 10)).toBe(true);
    const used = new Set(shippedOf(lock).map(({ licence }) => licence));
    expect([...used].toSorted()).toEqual(Object.keys(ALLOWED_LICENCES).toSorted());
  });
});
