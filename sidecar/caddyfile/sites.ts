// Which of a Caddyfile's sites a route of the adapted JSON comes from: by its hosts and its server's port.
import { type Address, portOf, type Ports } from './address.ts';
import type { CaddyfileTree, Site } from './tree.ts';

export type WantedSite = {
  /** The site's `host` matcher in the JSON; empty for a site that has none. */
  readonly hosts?: readonly string[];
  /** The port that its server listens on. */
  readonly port?: string;
  /** What the site's addresses have behind the host; empty for one that is for all paths. */
  readonly paths?: readonly string[];
};

/** Returns the sites that fit best: those that have just these hosts, else those that have these and more. */
export function sitesOf(tree: CaddyfileTree, { hosts, port, paths }: WantedSite): readonly Site[] {
  const ports = portsOf(tree);
  const there = tree.sites.flatMap((site) => {
    const served = site.addresses.filter(
      (a) => (port === undefined || portOf(a, ports) === port) && isUnder(a, paths),
    );
    if (served.length === 0) return [];
    const names = new Set(served.map(({ host }) => host));
    return [{ site, names: names.has('') ? new Set<string>() : names }];
  });
  if (hosts === undefined) return there.map(({ site }) => site);
  const wanted = new Set(hosts.map((host) => host.toLowerCase()));
  const holding = there.filter(({ names }) => isWithin(wanted, names));
  const exact = holding.filter(({ names }) => names.size === wanted.size);
  return (exact.length > 0 ? exact : holding).map(({ site }) => site);
}

function isUnder({ path }: Address, paths: WantedSite['paths']): boolean {
  return paths === undefined || (paths.length === 0 ? path === '' : paths.includes(path));
}

/** No hosts are every host, and not a part of some. */
function isWithin(wanted: ReadonlySet<string>, names: ReadonlySet<string>): boolean {
  if (wanted.size === 0 || names.size === 0) return wanted.size === names.size;
  return [...wanted].every((host) => names.has(host));
}

/** Returns the ports of the two schemes, by the global options. */
export function portsOf(tree: CaddyfileTree): Ports {
  const option = (name: string) =>
    tree.global?.directives.find((directive) => directive.name === name)?.args[0]?.text;
  return { http: option('http_port') ?? '80', https: option('https_port') ?? '443' };
}
