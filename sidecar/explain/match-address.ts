// The matchers that look at who sent it and how: `host`, `remote_ip`, `client_ip`, `protocol`, `tls`.
import { BlockList, isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { any, no, unknown, whether, yes, type Met } from './met.ts';
import { replaced } from './placeholders.ts';
import { hostnameOf, type Request } from './request.ts';

/** Returns whether the host is one of these; `*` stands for one label. */
export function matchHost(hosts: readonly string[], request: Request): Met {
  return any(hosts.map((host) => matchOneHost(host, request)));
}

function matchOneHost(written: string, request: Request): Met {
  const pattern = replaced(
    /\P{ASCII}/u.test(written) ? domainToASCII(written) || written : written,
    request,
  );
  if (pattern === undefined)
    return unknown(`the host is ${written}, which is filled in when Caddy runs`);
  if (request.host === undefined) return unknown(`the host is ${pattern}`);
  const host = hostnameOf(request.host);
  const isMatch = pattern.includes('*') ? matchesLabels(pattern, host) : isSame(pattern, host);
  return whether(isMatch, `${host} is ${isMatch ? '' : 'not '}${pattern}`);
}

function matchesLabels(pattern: string, host: string): boolean {
  const wanted = pattern.split('.');
  const labels = host.split('.');
  return (
    wanted.length === labels.length &&
    wanted.every((one, at) => one === '*' || isSame(one, labels[at] ?? ''))
  );
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** Returns whether it comes from one of these networks. */
export function matchAddress(ranges: readonly string[], { from }: Request): Met {
  const shown = ranges.join(' or ');
  if (from === undefined) return unknown(`it comes from ${shown}; say where from by --from`);
  // Zones, placeholders and what is no network.
  const list = listOf(ranges);
  if (list === undefined) return unknown(`it comes from ${shown}`);
  const isMatch = list.check(from, isIP(from) === 6 ? 'ipv6' : 'ipv4');
  return whether(isMatch, `${from} is ${isMatch ? '' : 'not '}of ${shown}`);
}

function listOf(ranges: readonly string[]): BlockList | undefined {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const version = isIP(address);
    if (version === 0) return undefined;
    list.addSubnet(
      address,
      Number(bits ?? (version === 6 ? 128 : 32)),
      version === 6 ? 'ipv6' : 'ipv4',
    );
  }
  return list;
}

/** Returns whether it is sent by this protocol. Plain HTTP is taken for HTTP/1.1; which one TLS brings is not known. */
export function matchProtocol(protocol: string, { scheme, headers }: Request): Met {
  const isSecure = scheme === 'https';
  switch (protocol) {
    case 'http':
    case 'https':
      return whether(scheme === protocol, `it comes by ${scheme}`);
    case 'grpc':
      return grpc(headers);
    case 'http/1.0+':
    case 'http/1.1+':
      return yes('it comes by HTTP/1.1 or later');
    case 'http/1.0':
      return no('it does not come by HTTP/1.0');
    case 'http/1.1':
      return isSecure ? unknown('it comes by HTTP/1.1') : yes('it comes by HTTP/1.1');
    default:
      return isSecure ? unknown(`it comes by ${protocol}`) : no('it comes by HTTP/1.1');
  }
}

function grpc(headers: Request['headers']): Met {
  const [type = ''] = headers.get('content-type') ?? [];
  if (headers.has('content-type') && headers.get('content-type') === undefined)
    return unknown('it is gRPC');
  const isGrpc = type.startsWith('application/grpc');
  return whether(isGrpc, isGrpc ? 'it is gRPC' : 'it is no gRPC');
}

/** Returns whether it comes by TLS, its handshake done. */
export function matchTls(complete: unknown, { scheme }: Request): Met {
  if (scheme === 'http') return no('it does not come by TLS');
  return whether(complete !== false, 'it comes by TLS, its handshake done');
}
