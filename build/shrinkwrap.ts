// npm-shrinkwrap.json: the lock of the package, ours without what only development needs. `npm ci` in the
// unpacked package takes the very versions that were tested. `npm install signet-….tgz` doesn't read it
// (npm 11 takes a registry's word for it being there): there only the direct dependencies are exact.
import type { packageManifest } from './manifest.ts';
import type { LockedPackage } from './shipped.ts';

/** package-lock.json, as far as it is read here. */
export type Lock = {
  readonly lockfileVersion: number;
  readonly packages: Readonly<
    Record<string, LockedPackage & { readonly dev?: boolean; readonly devOptional?: boolean }>
  >;
};

/** Returns the lock of the package with this manifest. */
export function shrinkwrap(lock: Lock, manifest: ReturnType<typeof packageManifest>) {
  const { name, version, license, bin, engines, dependencies } = manifest;
  const needed = Object.entries(lock.packages).filter(
    ([path, { dev, devOptional }]) => path !== '' && dev !== true && devOptional !== true,
  );
  return {
    name,
    version,
    lockfileVersion: lock.lockfileVersion,
    requires: true,
    packages: {
      '': { name, version, license, dependencies, bin, engines },
      ...Object.fromEntries(needed),
    },
  };
}
