// By what the configuration can be replaced, or gone around: Caddy's admin endpoints, and apps that are not Caddy's own. Pure.
import { type Adapted, recordAt } from '../edge/adapted.ts';
import { escapePointer } from '../edge/pointer.ts';
import { reachOf } from './addresses.ts';
import type { Found } from './finding.ts';
import { foundIn } from './rule.ts';

/** Returns who can put another configuration in this one's place, and which apps answer beside it. */
export function findTakenOver(adapted: Adapted): Found[] {
  return [...ofAdmin(adapted), ...ofLoad(adapted), ...ofRemote(adapted), ...ofApps(adapted)];
}

/** Caddy 2.11's, where nothing is written. */
const DEFAULT_ADMIN = 'localhost:2019';

function ofAdmin({ admin }: Adapted): Found[] {
  if (admin.disabled === true) return [];
  // An empty text is none.
  const listen = admin.listen || DEFAULT_ADMIN;
  const reach = reachOf(listen);
  if (reach === 'unix' || reach === 'unknown') return [];
  const code = reach === 'loopback' ? 'admin-open' : 'admin-exposed';
  return [foundIn(code, '/admin', [], `it listens on ${listen}`)];
}

// Both whether or not the local endpoint is off.
function ofLoad({ admin }: Adapted): Found[] {
  const { load } = recordAt(admin.config);
  if (load === undefined || load === null) return [];
  const { module } = recordAt(load);
  const from = typeof module === 'string' ? ` by the module ${module}` : '';
  const seen = `admin.config.load brings another configuration${from}, which takes this one’s place`;
  return [foundIn('admin-exposed', '/admin/config/load', [], seen)];
}

function ofRemote({ admin: { remote } }: Adapted): Found[] {
  if (remote === undefined || remote === null) return [];
  const { listen } = recordAt(remote);
  const where = typeof listen === 'string' && listen !== '' ? listen : ':2021';
  return [foundIn('admin-exposed', '/admin/remote', [], `admin.remote listens on ${where}`)];
}

/** Caddy 2.11's own. None but `http` serves a site. */
const OWN_APPS = ['http', 'tls', 'pki', 'events'];

function ofApps({ apps }: Adapted): Found[] {
  return apps
    .filter((name) => !OWN_APPS.includes(name))
    .map((name) => {
      const pointer = `/apps/${escapePointer(name)}`;
      const seen = `the app ${name} is not Caddy’s own, and no gate stands before what it answers`;
      return foundIn('handler-unknown', pointer, [], seen);
    });
}
