#!/usr/bin/env node
// Says clearly when Node is too old, before anything is imported that it could not read.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > 24 || (major === 24 && minor >= 5)) {
  // The command's own listener comes some hundred milliseconds later; until then the signal would end it.
  if (process.argv[2] === 'serve') process.on('SIGHUP', () => {});
  void import('../sidecar/cli.ts');
} else {
  const mend =
    'Install a newer one; in a clone of the repository `npm run signet --` brings its own.';
  console.error(`signet needs Node 24.5 or later; this is Node ${process.versions.node}. ${mend}`);
  process.exitCode = 69;
}
