// The package.json of the package, made from ours: what npm and an importer need, and nothing that runs
// when it is installed.

/** Ours, as far as it is read here. */
export type Manifest = {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly type: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly engines: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
};

const KEYWORDS = [
  'caddy',
  'forward-auth',
  'openid-connect',
  'opentelemetry',
  'tracing',
  'audit',
  'identity',
];

/** Each file that may be imported by its name, where the build has it. */
const FILES: Readonly<Record<string, string>> = {
  './signet.caddy': './caddy/signet.caddy',
  './signet.schema.json': './deploy/signet.schema.json',
  './package.json': './package.json',
};

/** Returns the package's own. `isThere` tells whether the build has a file. */
export function packageManifest(ours: Manifest, isThere: (file: string) => boolean) {
  const { name, version, description, license, type, bin, engines, dependencies } = ours;
  const files = Object.entries(FILES).filter(
    ([as, file]) => as === './package.json' || isThere(file),
  );
  return {
    name,
    version,
    description,
    keywords: KEYWORDS,
    license,
    type,
    bin,
    types: './sidecar/exports.d.ts',
    exports: {
      '.': { types: './sidecar/exports.d.ts', default: './sidecar/exports.js' },
      ...Object.fromEntries(files),
    },
    files: [
      'bin',
      'caddy',
      'deploy',
      'sidecar',
      'CHANGELOG.md',
      'SECURITY.md',
      'THIRD-PARTY-LICENSES.txt',
      'npm-shrinkwrap.json',
      'sbom.cdx.json',
    ],
    engines,
    dependencies: exact(dependencies),
  };
}

// A range would let an installation differ from what was tested.
function exact(dependencies: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const loose = Object.entries(dependencies).filter(
    ([, version]) => !/^\d+\.\d+\.\d+$/.test(version),
  );
  if (loose.length === 0) return dependencies;
  throw new Error(`not an exact version: ${loose.map((each) => each.join('@')).join(', ')}`);
}
