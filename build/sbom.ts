// sbom.cdx.json: what an installation consists of, in CycloneDX 1.6 (ECMA-424). Pure, and the same for the same lock:
// no time in it, and a serial number that is of its content. `npm sbom` says the same in 1.5, with both by chance; a test
// holds the two against each other.
import { hash } from 'node:crypto';
import type { packageManifest } from './manifest.ts';
import { purlOf, type Shipped } from './shipped.ts';

export type SbomOptions = {
  readonly manifest: ReturnType<typeof packageManifest>;
  readonly shipped: readonly Shipped[];
  /** The purls of what the package itself needs. */
  readonly needs: readonly string[];
};

/** Returns it as an object; its keys are in the order of the specification. */
export function sbom({ manifest, shipped, needs }: SbomOptions) {
  const { name, version, description, license } = manifest;
  const self = purlOf(name, version);
  const content = {
    metadata: {
      lifecycles: [{ phase: 'build' }],
      component: {
        type: 'application',
        'bom-ref': self,
        name,
        version,
        description,
        licenses: [{ license: { id: license } }],
        purl: self,
      },
    },
    components: shipped.map(component),
    dependencies: [
      { ref: self, dependsOn: needs },
      ...shipped.map(({ purl, needs: dependsOn }) => ({ ref: purl, dependsOn })),
    ],
  };
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(content))}`,
    version: 1,
    ...content,
  };
}

function component({ name, version, licence, integrity, purl, isOptional }: Shipped) {
  const [, group, bare = name] = /^(@[^/]+)\/(.+)$/.exec(name) ?? [];
  return {
    type: 'library',
    'bom-ref': purl,
    ...(group !== undefined && { group }),
    name: bare,
    version,
    scope: isOptional ? 'optional' : 'required',
    hashes: [{ alg: 'SHA-512', content: hexOf(integrity) }],
    licenses: [{ license: { id: licence } }],
    purl,
  };
}

function hexOf(integrity: string): string {
  return Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex');
}

// RFC 9562, section 5.8: of our own making, here by a hash.
function uuidOf(text: string): string {
  const hex = hash('sha256', text);
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`];
  return [...parts, `${variant}${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-');
}
