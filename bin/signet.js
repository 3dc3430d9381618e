#!/usr/bin/env node
// Says clearly when Node is too old, before anything is imported that it could not read.
if (Number(process.versions.node.split('.')[0]) >= 24) {
  void import('../sidecar/cli.ts');
} else {
  const mend = 'In its folder `npm run signet --` brings its own.';
  console.error(`signet needs Node 24 or later; this is Node ${process.versions.node}. ${mend}`);
  process.exitCode = 69;
}
