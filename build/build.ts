// `npm run build`: makes dist/ (or the folder named), a package that can be published as it is. Read from
// top to bottom it says what goes in. It installs nothing, asks no network, and two runs give the same bytes.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { explain } from '../sidecar/fault.ts';
import { compile } from './compile.ts';
import { DEPLOY_FILES } from './deploy-files.ts';
import { copyInto, filesUnder, settleModes } from './files.ts';
import { packageDocument } from './documents.ts';
import { licencesText } from './licences.ts';
import { packageManifest, type Manifest } from './manifest.ts';
import { sbom } from './sbom.ts';
import { directNeeds, shippedPackages } from './shipped.ts';
import { shrinkwrap, type Lock } from './shrinkwrap.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(ROOT, 'dist');

/** Documents at the top that go with it. */
const DOCUMENTS = ['README.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE'];

/** Whatever is not compiled, by name: what else lies in these folders stays there. */
const COPIED = [
  ...DOCUMENTS,
  'caddy/signet.caddy',
  ...DEPLOY_FILES.map((file) => `deploy/${file}`),
];

/** Builds the package in a folder. dist/ is emptied first; another one must be empty. */
export async function build(folder: string): Promise<void> {
  makeRoom(folder);
  await compile({ root: ROOT, folder });
  for (const file of COPIED) copyInto(folder, ROOT, file);
  fitDocuments(folder);
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Lock;
  const ours = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
  const manifest = packageManifest(ours, (file) => existsSync(join(folder, file)));
  writeJson(join(folder, 'package.json'), manifest);
  const ourLock = shrinkwrap(lock, manifest);
  writeJson(join(folder, 'npm-shrinkwrap.json'), ourLock);
  const shipped = shippedPackages(ourLock);
  writeJson(
    join(folder, 'sbom.cdx.json'),
    sbom({ manifest, shipped, needs: directNeeds(ourLock) }),
  );
  writeFileSync(join(folder, 'THIRD-PARTY-LICENSES.txt'), licencesText(shipped, ROOT));
  settleModes(folder, Object.values(manifest.bin));
}

function makeRoom(folder: string): void {
  if (folder === DIST) return rmSync(folder, { recursive: true, force: true });
  if (!existsSync(folder) || readdirSync(folder).length === 0) return;
  throw new Error(`${folder} is not empty; nothing was built`);
}

function fitDocuments(folder: string): void {
  const files = filesUnder(folder);
  for (const file of files.filter((name) => name.endsWith('.md'))) {
    const path = join(folder, file);
    writeFileSync(path, packageDocument({ file, text: readFileSync(path, 'utf8'), files }));
  }
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, `${JSON.stringify(value, undefined, 2)}\n`);
}

if (import.meta.main) {
  const folder = resolve(process.argv[2] ?? DIST);
  try {
    await build(folder);
    console.log(`The package is in ${folder}: \`npm pack\` there makes a file of it.`);
  } catch (error) {
    console.error(explain(error));
    process.exitCode = 1;
  }
}
