// Caddy's short placeholders, `{host}` for `{http.request.host}`: the Caddyfile has them, the JSON never.
// After httpcaddyfile/shorthands.go of Caddy 2.11.

const ORIG = 'http.request.orig_uri';
const URI = 'http.request.uri';
const CERTIFICATE = 'http.request.tls.client.certificate';

const SIMPLE = new Map([
  ...['host', 'hostport', 'port', 'orig_method', 'orig_uri', 'method', 'uri', 'scheme', 'uuid'].map(
    (name): [string, string] => [name, `http.request.${name}`],
  ),
  ['orig_path', `${ORIG}.path`],
  ['orig_query', `${ORIG}.query`],
  ['orig_dir', `${ORIG}.path.dir`],
  ['orig_file', `${ORIG}.path.file`],
  ['orig_?query', `${ORIG}.prefixed_query`],
  ['%uri', 'http.request.uri_escaped'],
  ['path', `${URI}.path`],
  ['%path', `${URI}.path_escaped`],
  ['dir', `${URI}.path.dir`],
  ['file', `${URI}.path.file`],
  ['query', `${URI}.query`],
  ['%query', `${URI}.query_escaped`],
  ['?query', `${URI}.prefixed_query`],
  ['remote', 'http.request.remote'],
  ['remote_host', 'http.request.remote.host'],
  ['remote_port', 'http.request.remote.port'],
  ['tls_cipher', 'http.request.tls.cipher_suite'],
  ['tls_version', 'http.request.tls.version'],
  ['tls_client_fingerprint', 'http.request.tls.client.fingerprint'],
  ['tls_client_issuer', 'http.request.tls.client.issuer'],
  ['tls_client_serial', 'http.request.tls.client.serial'],
  ['tls_client_subject', 'http.request.tls.client.subject'],
  ['tls_client_certificate_pem', `${CERTIFICATE}_pem`],
  ['tls_client_certificate_der_base64', `${CERTIFICATE}_der_base64`],
  ['upstream_hostport', 'http.reverse_proxy.upstream.hostport'],
  ['client_ip', 'http.vars.client_ip'],
]);

const BEGINNINGS = new Map([
  ['header', 'http.request.header'],
  ['cookie', 'http.request.cookie'],
  ['labels', 'http.request.host.labels'],
  ['path', `${URI}.path`],
  ['file', `${URI}.path.file`],
  ['query', `${URI}.query`],
  ['re', 'http.regexp'],
  ['vars', 'http.vars'],
  ['rp', 'http.reverse_proxy'],
  ['resp', 'http.intercept'],
  ['err', 'http.error'],
  ['file_match', 'http.matchers.file'],
]);

/** Returns the text with its short placeholders written out, as the JSON has it. */
export function writeOut(text: string): string {
  return text.replaceAll(
    /\{([%?]?[a-z][a-z0-9_?]*)(\.[\w.-]*)?\}/g,
    (piece, name: string, rest) => {
      const whole = rest === undefined ? SIMPLE.get(name) : BEGINNINGS.get(name);
      return whole === undefined ? piece : `{${whole}${rest ?? ''}}`;
    },
  );
}
