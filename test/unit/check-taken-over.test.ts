// What of a configuration in JSON can put another in its place, or answers beside it.
import { expect, test } from '@jest/globals';
import { findTakenOver } from '../../sidecar/check/taken-over.ts';
import type { Adapted } from '../../sidecar/edge/adapted.ts';

const CLOSED: Adapted = {
  admin: { disabled: true },
  apps: ['http'],
  logs: {},
  servers: {},
  ports: { http: 80, https: 443 },
};

const found = (given: Partial<Adapted>) =>
  findTakenOver({ ...CLOSED, ...given }).map(({ code, where }) => `${code} ${where.pointer}`);

test('Caddy’s own apps, and an endpoint that is off, are no finding', () => {
  expect(found({ apps: ['http', 'tls', 'pki', 'events'] })).toEqual([]);
});

test('a configuration that is loaded in this one’s place is found, though the endpoint is off', () => {
  const config = { load: { module: 'http', url: 'http://10.0.0.9/config' } };
  expect(found({ admin: { disabled: true, config } })).toEqual([
    'admin-exposed /admin/config/load',
  ]);
});

test('a configuration that is only not kept is none that is loaded', () => {
  expect(found({ admin: { disabled: true, config: { persist: false } } })).toEqual([]);
});

test('an endpoint for elsewhere is found, though the one for here is off', () => {
  expect(found({ admin: { disabled: true, remote: {} } })).toEqual(['admin-exposed /admin/remote']);
});

test('an endpoint on a host that is called like a socket is found', () => {
  expect(found({ admin: { listen: 'unixbox:2019' } })).toEqual(['admin-exposed /admin']);
});

test('each app that is not Caddy’s own is found', () => {
  expect(found({ apps: ['http', 'layer4', 'a/b'] })).toEqual([
    'handler-unknown /apps/layer4',
    'handler-unknown /apps/a~1b',
  ]);
});
