// What `signet check` can find: a closed list. Each code is stable, and says what could happen and what mends it;
// what was seen, and where, is the finding's.

/** `error`: somebody gets past the gate, speaks for another, or leaves no trace. `warning`: it is weaker than it looks. */
export type Severity = 'error' | 'warning';

export type Explained = {
  readonly severity: Severity;
  /** What it is, in a few words. */
  readonly title: string;
  /** What could happen, in a sentence. */
  readonly risk: string;
  /** What mends it, in a sentence. */
  readonly mend: string;
};

export const CODES = {
  unguarded: {
    severity: 'error',
    title: 'served without a decision',
    risk: 'Anyone gets what is served here: the gate is not asked.',
    mend: 'Put it into a `handle` with `import protect NAME REQUIREMENT { … }` around it; `import protect NAME public { … }` where everyone may come in, `import unprotected NAME { … }` where nobody has to be known.',
  },
  'gate-lets-refused-in': {
    severity: 'error',
    title: 'the gate’s refusal does not stop the request',
    risk: 'Who was refused is served all the same: Caddy goes on behind an answer that nobody was sent.',
    mend: 'Use the `protect` of caddy/signet.caddy as it is, or end each `handle_response` that is not for 2xx by `copy_response`.',
  },
  'gate-unstamped': {
    severity: 'warning',
    title: 'a 2xx without a stamp lets in',
    risk: 'An answer that is not the gate’s, as after a late dial (SECURITY.md), lets the request in without a decision.',
    mend: 'Use the `protect` of caddy/signet.caddy of this version: it lets in by `Signet-Stamp` only.',
  },
  'gate-twice': {
    severity: 'error',
    title: 'the gate is asked twice for one request',
    risk: 'One line of the log gets two stamps; it is set aside, and the request has no row.',
    mend: 'Give each `protect` a `handle` of its own, and put none within another.',
  },
  'never-reached': {
    severity: 'error',
    title: 'nothing comes to this block, or not all that it names',
    risk: 'What it asks for is not asked: another block before it answers, by a requirement of its own.',
    mend: 'Give each block a `handle` of its own, with a path or matcher, the narrower first: `handle /admin* { import protect … }`.',
  },
  'target-unchecked': {
    severity: 'error',
    title: 'an open app gets targets without a path',
    risk: 'A target such as `x:http://x/admin` comes through the open block, and its app may serve what another block protects (SECURITY.md).',
    mend: 'Take over the `import signet` of caddy/signet.caddy of this version: it refuses such a target for the whole site.',
  },
  'signet-old': {
    severity: 'error',
    title: 'the site lacks what `import signet` does by now',
    risk: 'What an app reads out of a CONNECT, or makes of `/admin/..%2fpublic`, was asked of no gate; and what comes to a host in another spelling leaves no trace.',
    mend: 'Take over the snippets of this version: `signet snippet` prints them.',
  },
  'path-edge': {
    severity: 'warning',
    title: 'what belongs to the path goes to another block',
    risk: '`/x/*` leaves `/x` to the next block, and to most apps the two are one page; `^/x/.*` leaves it `/x/a%0ab`.',
    mend: 'Write `handle /x*`, or `@x path /x /x/*`; in a `path_regexp` write `(?s)` in front, with which a dot is a line’s end, too.',
  },
  'gate-waits': {
    severity: 'warning',
    title: 'no bound on how long Caddy waits for the gate',
    risk: 'A sidecar that hangs hangs the whole site.',
    mend: 'Set `transport http { response_header_timeout 5s }`, as `protect` does.',
  },
  'gate-question': {
    severity: 'error',
    title: 'the question to the gate lacks what it needs',
    risk: 'The gate can’t tell what it is asked about, and refuses everyone.',
    mend: 'Use the `protect` of caddy/signet.caddy: it sends X-Request-Id, X-Forwarded-Uri and X-Forwarded-Method as Caddy knows them.',
  },
  'error-route-serves': {
    severity: 'error',
    title: 'an error route serves more than a static answer',
    risk: 'When the sidecar is down, or whenever an error can be provoked, this is served to anyone: error routes run without the decision.',
    mend: 'Answer errors by `respond`, or by `rewrite` to a fixed file and `file_server`.',
  },
  'intercept-serves': {
    severity: 'error',
    title: 'an `intercept` that sees refusals puts more than a static answer in their place',
    risk: 'Who is refused, or whoever provokes such an answer, is served this instead: no gate is asked for it.',
    mend: 'Answer by `respond`, or by `rewrite` to a fixed file and `file_server`; or put the `intercept` into the block, behind its gate, where it sees the app’s answers alone.',
  },
  'error-route-asks': {
    severity: 'error',
    title: 'the gate is asked in an error route or an `intercept`',
    risk: 'It decides a second time for the same request; the line has two stamps and is set aside.',
    mend: 'Take `protect` out of `handle_errors` or `intercept`, and answer by `respond`, or by a fixed file.',
  },
  'requirement-invalid': {
    severity: 'error',
    title: 'the requirement does not parse',
    risk: 'Everyone is refused in this block; behind a `#` or an empty `&` less may be asked than is written.',
    mend: 'Write public, any, or user:, team:, role:, type:, scope:, idp:, actors: with values, joined by + (deploy/access.md).',
  },
  'requirement-unmeetable': {
    severity: 'error',
    title: 'nobody can meet the requirement',
    risk: 'Everyone is refused in this block.',
    mend: 'Ask for what one caller can be at once: a comma is “or” within one kind, + is “and”; names behind idp: are those of signet.yaml.',
  },
  'requirement-placeholder': {
    severity: 'error',
    title: 'the requirement holds a placeholder',
    risk: 'What a client sends could choose what is asked of it; Caddy fills it in for each request.',
    mend: 'Write the requirement out; where it differs by path or host, write a block for each.',
  },
  'route-placeholder': {
    severity: 'error',
    title: 'the route’s name holds a placeholder',
    risk: 'Clients name rows, spans and metrics as they like; a name that is no word is refused.',
    mend: 'Give the block a fixed name of letters, digits and . _ ~ / -.',
  },
  'route-invalid': {
    severity: 'error',
    title: 'the block has no usable name',
    risk: 'The gate takes the question for nobody’s, and refuses everyone.',
    mend: 'Write `import protect NAME REQUIREMENT { … }`; a NAME is up to 128 letters, digits and . _ ~ / -.',
  },
  'signet-missing': {
    severity: 'error',
    title: '`protect` or `unprotected` without `import signet`',
    risk: 'The client’s own Remote-*, Connection and Upgrade headers are not taken away, nothing is logged for Signet, and nobody can sign in.',
    mend: 'Write `import signet` into this site, once, at its top level.',
  },
  'signet-unreachable': {
    severity: 'error',
    title: 'requests for /.signet/* do not reach the sidecar',
    risk: 'Nobody can sign in or out on this site.',
    mend: 'Write `import signet` at the top level of the site, and keep redir, rewrite, try_files and catch-all blocks from coming before it: put them into the blocks that need them.',
  },
  'identity-not-deleted': {
    severity: 'error',
    title: 'a client’s own identity header reaches the app',
    risk: 'Anyone speaks for anyone: the app believes what the client wrote (GHSA-7r4p-vjf4-gxv4, GHSA-49wc-4hcv-v58q).',
    mend: '`import signet` in this site, or `request_header -Remote*` and `request_header -Signet*` before everything else.',
  },
  'identity-deleted-late': {
    severity: 'error',
    title: 'the identity is deleted after it was set',
    risk: 'The app gets nobody’s name, or the client’s own: deletions run after the gate.',
    mend: 'Delete at site level, before the gate, and leave Remote-* alone behind it; a `forward_auth` of your own belongs into `route`, because at site level Caddy runs it before `request_header`.',
  },
  'identity-not-copied': {
    severity: 'error',
    title: 'an identity header is neither copied nor deleted',
    risk: 'The app misses who is calling, or reads the client’s own.',
    mend: 'Name in `copy_headers` Remote-User, Remote-Name, Remote-Email, Remote-Groups, Remote-Team and Remote-User-Type, or use `protect` as it is.',
  },
  'identity-overwritten': {
    severity: 'error',
    title: 'an identity header is set from something that is not the gate’s answer',
    risk: 'The app takes for the caller whatever stands there: a client’s header, or one name for everybody.',
    mend: 'Leave Remote-* and Signet-* to `protect`; give what you need another name.',
  },
  'hop-header': {
    severity: 'error',
    title: 'a client’s Connection header can take the identity away',
    risk: '`Connection: Remote-User` makes Caddy delete what the gate vouched for (GHSA-w9mr-28mw-j8hg, CVE-2026-29054).',
    mend: '`import signet` in this site: it deletes such a header first.',
  },
  'upgrade-passes': {
    severity: 'error',
    title: 'any Upgrade reaches the app',
    risk: 'With `Upgrade: h2c` and an app that takes it, one request becomes a connection past the gate (h2c smuggling).',
    mend: '`import signet` in this site: it lets through websocket only.',
  },
  'forwarded-believed': {
    severity: 'error',
    title: 'a client’s X-Forwarded-Uri or -Method reaches the sidecar or the app',
    risk: 'What is decided about could be said by the client (CVE-2026-40575).',
    mend: '`import signet` in this site, which deletes them.',
  },
  'session-cookie-passes': {
    severity: 'warning',
    title: 'the app gets the session cookie',
    risk: 'Whoever reads the app’s log, or the app, can be its users everywhere.',
    mend: 'Use `protect` and `unprotected` as they are; both take it out.',
  },
  'answer-identity': {
    severity: 'warning',
    title: 'the app’s or the gate’s own Remote-* and Signet-* reach the client',
    risk: 'A client sees its stamp, or what the app claims to be an identity.',
    mend: '`import signet` in this site: it takes them off each answer.',
  },
  'log-missing': {
    severity: 'error',
    title: 'requests are not logged for Signet',
    risk: 'They have no row and no span: who did what is not recorded.',
    mend: '`import signet` in this site, and no `log` of your own that takes its place.',
  },
  'log-replaced': {
    severity: 'error',
    title: 'a log of another make has Signet’s name',
    risk: 'Of two logs with one name Caddy takes the last, and says nothing: the recorder reads nothing.',
    mend: 'Give your own log another name than signet_access_log.',
  },
  'log-skipped': {
    severity: 'error',
    title: 'some requests are left out of the log',
    risk: 'They have no row: what a client does there leaves no trace.',
    mend: 'Take `log_skip` (or `log_name`, skip_hosts, skip_unmapped_hosts) away; filter rows when you read them.',
  },
  'log-sampled': {
    severity: 'error',
    title: 'the log is sampled',
    risk: 'Requests go unrecorded as soon as there are many.',
    mend: 'Take `sampling` away from this log; sample spans in signet.yaml.',
  },
  'log-level': {
    severity: 'error',
    title: 'the log’s level hides requests',
    risk: 'Caddy logs requests as INFO, and those that ended with 5xx as ERROR: the others have no row.',
    mend: 'Leave `level` out, or write INFO.',
  },
  'log-format': {
    severity: 'error',
    title: 'the log is not the JSON that Signet reads, or has other names in it',
    risk: 'Its lines are set aside instead of becoming rows.',
    mend: 'Write `format json`, or `format filter` around it.',
  },
  'log-output': {
    severity: 'error',
    title: 'the log does not go into a file, or not into the one that the sidecar reads',
    risk: 'No rows and no spans.',
    mend: 'Write `output file PATH`, with the PATH of SIGNET_ACCESS_LOG.',
  },
  'log-fields': {
    severity: 'error',
    title: 'the log lacks fields that rows are made of, or has them twice',
    risk: 'Rows without an identity, a route or an id; or none.',
    mend: '`protect` appends route, stamp and more, and Caddy uuid: name what you append otherwise, or take it away; the log’s filter must not delete, hash or replace what rows are made of.',
  },
  'log-credentials': {
    severity: 'warning',
    title: 'the log holds credentials',
    risk: 'Cookies, tokens or codes stand in a file that many may read.',
    mend: 'Delete request>headers and resp_headers and redact request>uri as caddy/signet.caddy does, and leave log_credentials out.',
  },
  'log-rolls': {
    severity: 'warning',
    title: 'the log rolls away early, or can’t be read',
    risk: 'A flood of requests rolls lines away before they are read; or the sidecar’s group may not read them.',
    mend: 'Keep `mode 640`, `roll_size 256MiB`, `roll_keep 40` and `roll_compression none` of caddy/signet.caddy.',
  },
  'header-bound': {
    severity: 'warning',
    title: 'no bound on the size of headers',
    risk: 'Caddy’s default is 1 MiB: a thousand such requests roll the log away.',
    mend: 'Write `max_header_size 32KiB` into the `servers` block of the global options, or `servers { max_header_size 32KiB }` where there is none.',
  },
  'sidecar-exposed': {
    severity: 'error',
    title: 'others can reach the sidecar',
    risk: 'Whoever can speak to the gate says itself what Caddy says: any route, any requirement, any address.',
    mend: 'Use a unix socket in a folder of Caddy’s group, or loopback with SIGNET_GATE_KEY; proxy nothing to it but /.signet/*.',
  },
  'gate-key-missing': {
    severity: 'error',
    title: 'the gate is asked over TCP without a key',
    risk: 'The sidecar refuses everyone; or, without a key there, every account of the machine can ask it.',
    mend: 'Keep `header_up Signet-Key {env.SIGNET_GATE_KEY}`, and set SIGNET_GATE_KEY for both.',
  },
  'admin-open': {
    severity: 'warning',
    title: 'Caddy’s admin endpoint listens on TCP',
    risk: 'Every account of this machine, and a browser or app that can be made to ask it, can take the gate out.',
    mend: 'Write `admin off`, or `admin unix//PATH`, into the global options.',
  },
  'admin-exposed': {
    severity: 'error',
    title: 'Caddy’s admin endpoint can be reached from elsewhere',
    risk: 'Whoever reaches it takes the gate out, and reads every secret of the configuration.',
    mend: 'Write `admin off`, or `admin unix//PATH`, into the global options; take `admin.remote` and `admin.config.load` out of JSON.',
  },
  'proxies-trusted': {
    severity: 'error',
    title: 'every client is a trusted proxy',
    risk: 'Clients say themselves which address and host they come from; rows and sign-in links believe it.',
    mend: 'Name the addresses of your proxies in `trusted_proxies`, and no more.',
  },
  'proxies-not-strict': {
    severity: 'warning',
    title: 'a client behind a trusted proxy names its own address',
    risk: 'Most proxies append to X-Forwarded-For, and Caddy takes the first address in it, which the client wrote; rows and bounds believe it.',
    mend: 'Write `trusted_proxies_strict` beside `trusted_proxies`; or name a header that your proxy alone writes in `client_ip_headers`.',
  },
  'plain-http': {
    severity: 'warning',
    title: 'the site is served without TLS',
    risk: 'Nobody can sign in: browsers keep `__Host-` cookies of https only. Names and tokens travel in the clear.',
    mend: 'Leave the certificate to Caddy, or name the proxy in front that has it in `trusted_proxies`.',
  },
  'handler-unknown': {
    severity: 'warning',
    title: 'a handler or an app that is not Caddy’s own runs without a decision',
    risk: 'If it answers requests itself, anyone is answered.',
    mend: 'Put it into `protect` or `unprotected`, or behind them.',
  },
  'caddy-old': {
    severity: 'error',
    title: 'this Caddy is below the floor',
    risk: 'Holes that are known let a client speak for another.',
    mend: 'Use Caddy 2.11.5 or later.',
  },
  'caddy-late-dial': {
    severity: 'error',
    title: 'this Caddy can ask an app instead of the gate',
    risk: 'Before 2.11.5 a dial that comes late goes to an app on a unix socket, with cookie and key (GHSA-6365-7ppr-5r92; SECURITY.md).',
    mend: 'Use Caddy 2.11.5 or later, or set SIGNET_GATE_KEEPALIVE=off for Caddy.',
  },
  'variable-unset': {
    severity: 'warning',
    title: 'a variable of the file is not set here',
    risk: 'Caddy reads nothing in its place: a path that is empty makes a catch-all, and what is checked may not be what will run.',
    mend: 'Name the environment of Caddy’s service by `--envfile`, or write a default: `{$NAME:default}`.',
  },
  'secret-in-file': {
    severity: 'warning',
    title: 'a secret stands in the file',
    risk: 'Whoever reads the Caddyfile, a copy of it, or Caddy’s admin endpoint has it.',
    mend: 'Write {env.NAME} or {file.PATH} instead, and give it to Caddy’s service only.',
  },
} as const satisfies Record<string, Explained>;

export type Code = keyof typeof CODES;
