// Who can reach an address, as Caddy 2.11 takes it apart: a network is what stands before the first slash.
import { expect, test } from '@jest/globals';
import { reachOf } from '../../sidecar/check/addresses.ts';

test.each([
  ['unix//run/signet/sidecar.sock', 'unix'],
  ['unix/@abstract', 'unix'],
  ['UNIX//run/x.sock', 'unix'],
  ['unix+h2c//run/x.sock', 'unix'],
  ['unixgram//run/x.sock', 'unix'],
  ['unixpacket//run/x.sock|0220', 'unix'],
  ['unix/{env.SOCKET}', 'unix'],
  ['unix-gate.example.com:9000', 'others'],
  ['unixbox:2019', 'others'],
  ['unix', 'others'],
  ['unix-gate/host:9000', 'others'],
  ['fd/3', 'unknown'],
  ['fdgram/3', 'unknown'],
  ['fdbox:2019', 'others'],
  ['{env.ADMIN}', 'unknown'],
  ['tcp/127.0.0.1:9000', 'loopback'],
  ['[::1]:9000', 'loopback'],
  [':2019', 'others'],
  ['127.0.0.1.example.com:80', 'others'],
])('%s: %s', (address, reach) => {
  expect(reachOf(address)).toBe(reach);
});
