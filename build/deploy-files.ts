// What of deploy/ goes into the package and into the container's build, file by file: nothing that an operator
// has put beside it (a secret, settings, a link) can come along. test/e2e/package-files.test.ts holds it to git.

/** Relative to deploy/, with `/`. */
export const DEPLOY_FILES: readonly string[] = [
  'README.md',
  'access.md',
  'check.md',
  'compose/Caddyfile',
  'compose/README.md',
  'compose/compose.yaml',
  'compose/example.env',
  'deployments.md',
  'destinations.md',
  'grafana/README.md',
  'grafana/signet.json',
  'metrics.md',
  'migrating.md',
  'pages.md',
  'prometheus/README.md',
  'prometheus/signet.rules.yml',
  'providers.md',
  'retention.md',
  'rotation.md',
  'sessions.md',
  'signet.schema.json',
  'systemd/README.md',
  'systemd/caddy.service.d/signet.conf',
  'systemd/signet.service',
  'systemd/signet.socket',
  'systemd/sysusers.d/signet.conf',
  'systemd/tmpfiles.d/signet.conf',
  'tutorial.md',
];

/** What stays behind, files and folders: it needs the repository around it. */
export const LEFT_OUT: readonly string[] = [
  'container',
  'local',
  'prometheus/signet.rules.test.yml',
];
