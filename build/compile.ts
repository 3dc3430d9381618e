// The TypeScript of the product as JavaScript, and the declarations of what is public, by the
// compiler of node_modules. No maps: they would name the machine, and the source isn't in the package.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Compiles into a folder; throws with the compiler's own words. */
export async function compile(options: { root: string; folder: string }): Promise<void> {
  const { root, folder } = options;
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const projects = ['tsconfig.build.json', 'build/tsconfig.types.json'];
  await Promise.all(
    projects.map((project) =>
      run(process.execPath, [compiler, '-p', join(root, project), '--outDir', folder]).catch(fail),
    ),
  );
}

function fail(error: Error & { stdout?: string }): never {
  throw new Error(`the product does not compile:\n${error.stdout ?? ''}`, { cause: error });
}
