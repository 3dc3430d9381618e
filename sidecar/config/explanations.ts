// What each setting of signet.yaml is for, in one place: an editor shows it through the JSON Schema. What is
// allowed stands in the schema itself.

const CLAIMS = {
  user: "The claim with the user's name. One that people can choose themselves is no good.",
  team: 'The claim with the team.',
  team_prefix: 'The beginning of the group that is the team.',
  roles: 'The claim with the roles.',
  groups: 'The claim with the groups.',
  type: 'The claim that tells people, services and agents apart.',
};

function claimsOf(path: string, of: string): Record<string, string> {
  const entries = Object.entries(CLAIMS).map(([name, text]) => [
    `${path}.${name}`,
    `${text} As in \`claims\`, for this entry of \`${of}\`.`,
  ]);
  return Object.fromEntries(entries);
}

/** A sentence or two for each path; `[]` stands for an element of a list. */
export const EXPLANATIONS: Readonly<Record<string, string>> = {
  preset:
    'What kind of provider it is: that brings scopes, claims and parameters as this kind has them. What is written here wins over it; `signet config` says what came of it.',
  name: 'What requirements call this provider, as in `idp:main`, and the path of its callback, if it is not the first. By default the name of its preset, or main.',
  label:
    'What people read where they choose between several providers. By default the name of its kind, or its host.',
  issuer:
    "The OpenID provider that people sign in at: its issuer, letter by letter as in the provider's /.well-known/openid-configuration.",
  client_id: 'The id of the client that was registered for Signet at the OpenID provider.',
  client_secret_file: "The file with that client's secret. The secret itself never stands here.",
  scopes:
    'What a sign-in asks of the provider. Groups or roles often come with a scope of their own.',
  parameters:
    'Further parameters of the request that a sign-in begins with, such as `hd` or `domain_hint`. Those of the preset stay; an empty text takes one away.',
  sign_out:
    'Whether a sign-out ends here (local), or at the provider as well (provider), where it announces how.',
  providers:
    'Further providers that people sign in at: then a page asks which one. Each stands for itself, and takes nothing over from the first.',
  'providers[].preset': 'What kind of provider it is, as `preset`.',
  'providers[].name':
    'What requirements call it, as in `idp:partners`, and the last part of its redirect URI: /.signet/callback/partners. By default the name of its preset, or its host.',
  'providers[].label': 'What people read where they choose.',
  'providers[].issuer': 'Its issuer, letter by letter.',
  'providers[].client_id': 'The id of the client that was registered for Signet there.',
  'providers[].client_secret_file': "The file with that client's secret.",
  'providers[].scopes': 'What a sign-in asks of it.',
  'providers[].parameters': 'Further parameters of the request that a sign-in begins with.',
  'providers[].sign_out': 'Whether a sign-out ends here (local), or there as well (provider).',
  'providers[].audiences':
    'Bearer tokens of this issuer are accepted if they are for one of these.',
  'providers[].claims': 'Which of its claims says what. By default as its preset has it.',
  ...claimsOf('providers[].claims', 'providers'),
  hosts:
    'The hosts that a sign-in may lead back to. Needed where one site of the Caddyfile is for any host; elsewhere it is the site that was asked for.',
  audiences:
    'Bearer tokens of the issuer are accepted if they are for one of these audiences. Without one, no bearer tokens are accepted.',
  bearer: 'Further issuers whose bearer tokens are accepted.',
  'bearer[].preset':
    'What kind of issuer it is: that brings claims, algorithms and, where there is only one, the issuer.',
  'bearer[].name':
    'What requirements call it, as in `idp:ci`. By default the name of its preset, or its host.',
  'bearer[].types':
    'What the header of its tokens may say as `typ`, by default at+jwt, JWT or nothing. An ID token is refused whatever stands here.',
  'bearer[].clock_tolerance': "How far its clock may be off from this machine's, by default 5s.",
  'bearer[].claims':
    'Which of its claims says what. By default as the preset has it; without a preset as `claims` has it, or the provider of the same issuer.',
  ...claimsOf('bearer[].claims', 'bearer'),
  'bearer[].introspection':
    'For tokens that are no JWT: the issuer is asked what they are (RFC 7662).',
  'bearer[].introspection.client_id': 'The id of the client by which Signet may ask.',
  'bearer[].introspection.client_secret_file': "The file with that client's secret.",
  'bearer[].introspection.cache':
    'How long an answer is good: so long a token that was revoked may still be accepted.',
  'bearer[].introspection.token_prefix':
    'What its tokens begin with. Needed where several issuers are asked: a token is shown to none that it is not of.',
  'bearer[].issuer': 'Who issues the tokens: their `iss`, letter by letter.',
  'bearer[].audiences': 'Tokens of this issuer must be for one of these: their `aud`.',
  'bearer[].audience_claim':
    'Where an issuer writes no `aud`: the claim that says instead whom a token is for. A token that has an `aud` goes by that alone.',
  'bearer[].algorithms':
    'The algorithms that this issuer signs with, if not all that are safe are to be accepted. None with a shared secret is among them.',
  claims: 'Which claim of a token says what.',
  'claims.user':
    "The claim with the user's name, `preferred_username` by default. Where that is missing, a verified e-mail address is taken, and then `sub`; where another claim is named and missing, `sub` only. `email` counts only if it is verified.",
  'claims.team':
    'The claim with the team. Where there is none, the first group that begins with `team_prefix` is taken; one that is there and is no text is no team.',
  'claims.team_prefix':
    'The beginning of the group that is the team. It is cut off: `team-payments` is the team `payments`.',
  'claims.roles': 'The claim with the roles, for `role:` in the Caddyfile.',
  'claims.groups': 'The claim with the groups, for the header Remote-Groups.',
  'claims.type':
    'The claim that tells people, services and agents apart (`human`, `service`, `agent`). Where it is missing, the token shows it.',
  session: 'How long a sign-in holds, for which hosts, and where it is kept.',
  'session.idle': 'A session ends when it was not used for this long.',
  'session.absolute': 'A session ends this long after the sign-in, used or not.',
  'session.recheck':
    'How often the provider is asked whether the session still holds, by its refresh token: who was removed or changed there is so here after this time. Without a refresh token nobody is asked.',
  'session.store_file':
    'The file with the URL of a PostgreSQL database, for sessions that several sidecars share. By default they are in sessions.db in the state folder. A change waits for a restart.',
  'session.domain':
    'One sign-in for all `hosts`, which have to be below this domain. Every host there gets the cookie, those that are not behind Signet as well.',
  'session.sign_in_host':
    'One sign-in for all `hosts`, of whatever domain: people sign in at this host and are handed over from there.',
  assertion:
    'A signed statement of who calls, for the app: the header Signet-Assertion. Without this section there is none.',
  'assertion.issuer':
    'The URL of a host that Signet stands before: the app finds the keys below it, at /.signet/jwks.json.',
  pages: 'What people see who sign in, or may not.',
  'pages.css_file': 'The file with a stylesheet that takes the place of the one that is built in.',
  'pages.texts_file':
    'The file with texts in other words, or in other languages. What it does not say stays as it is built in.',
  trace: 'What becomes of the traces that callers bring along.',
  'trace.trust':
    "Whose traces go on under the caller's own trace id: of verified bearer tokens (bearer), of all who are signed in (authenticated), of anybody (always), of nobody (never). Whoever is trusted also decides whether a trace is sampled.",
  service: 'What spans say of where they come from: the attributes of their resource.',
  'service.name': 'The name of this edge in the tracing backend.',
  'service.version': "The version of what is deployed. Unless it is set, it is Signet's own.",
  'service.environment': 'The environment that this edge stands in, such as production or staging.',
  'service.deployment': 'The id of the deployment, for comparing it with the one before.',
  listen:
    'Where Caddy asks Signet. A unix socket is guarded by its folder; over TCP Caddy must show a key (`gate_key_file`). By default /run/signet/sidecar.sock for root, and sidecar.sock in the state folder for others. A change waits for a restart.',
  gate_key_file: 'The file with the key that Caddy shows over TCP: 32 characters or more.',
  health:
    'Where /readyz and /metrics are. Only on this machine, since nobody signs in there. A change waits for a restart.',
  access_log:
    'The access log that Caddy writes, and the record is made from. By default /var/log/caddy/signet-access.log for root, and access.log in the state folder for others. A change waits for a restart.',
  state:
    "The folder that is Signet's own: sessions, record, keys. By default $STATE_DIRECTORY (systemd), or /var/lib/signet for root, or ~/.local/state/signet. A change waits for a restart.",
  keys_file:
    'The file with the keys that seal sessions and stamps, for several sidecars with the same ones. By default `keys` in the state folder, made once.',
  audit: 'Where the record is kept.',
  'audit.store_file':
    'The file with the URL of a PostgreSQL database, for a record of several sidecars. By default the record is audit.db in the state folder. A change waits for a restart.',
  'audit.heads_file':
    'The file that signed heads of the record are added to: whoever keeps a copy elsewhere can prove that no row was touched. By default heads.jsonl in the state folder. A change waits for a restart.',
  retention: 'How long the record is kept.',
  'retention.rows': 'Rows that are older go by themselves, once every destination has them.',
  'retention.undelivered':
    'How much longer rows wait for a destination that does not have them. Then they go all the same, and it is said loudly.',
  destinations:
    'Where traces, logs and metrics go, any number of places at once. An empty list keeps the record and sends nothing.',
  'destinations[].name':
    'A name of its own. What was sent is remembered under it: a new name begins anew.',
  'destinations[].profile':
    'The backend. It brings endpoint, protocol and the header for the token. By default the one that the entry is named after, or else otlp.',
  'destinations[].protocol':
    'How it is sent: OTLP over gRPC, or over HTTP. By default as the backend recommends.',
  'destinations[].endpoint':
    "The backend's address, if its profile has none or you have another. https:// is TLS, http:// plain text. Over HTTP, /v1/traces and the like are appended.",
  'destinations[].token_file': 'The file with the access token. It is read anew when it changes.',
  'destinations[].headers_file':
    'The file with further headers, `name=value` on each line. It is read anew when it changes.',
  'destinations[].certificate_file':
    "The certificate authorities to trust instead of the system's.",
  'destinations[].client_certificate_file': 'The certificate that Signet shows (mutual TLS).',
  'destinations[].client_key_file': 'The private key of that certificate, without a passphrase.',
  'destinations[].compression':
    'Whether requests are packed. By default they are, except to this machine.',
  'destinations[].signals':
    'What is sent: traces; logs (a record for every row); metrics (counted once a minute).',
  'destinations[].budget':
    'How many spans may be sent. Beyond it the least valuable are left out first, errors last.',
  'destinations[].budget.spans_per_second':
    'How many spans of requests that ended in the same second.',
  'destinations[].budget.spans_per_day': 'How many spans on one day in UTC, as the bill has it.',
  sampling:
    'Which traces are sent. Every request is a row of the record all the same; refusals are always sampled.',
  'sampling.ratio': 'The share of traces that are sent, where no rule fits.',
  'sampling.slow': 'Requests that take this long are sent even if they were not sampled.',
  'sampling.rules': 'Other shares for some requests. The first rule that fits counts.',
  'sampling.rules[].route': 'The name behind `protect` in the Caddyfile.',
  'sampling.rules[].team': "The caller's team.",
  'sampling.rules[].type': 'Whether a person, a service or an agent calls.',
  'sampling.rules[].decision': 'What the gate decided; `none` is what is not behind `protect`.',
  'sampling.rules[].ratio': 'The share of these traces that are sent.',
  redact_query:
    'Query parameters whose values are left out of record and spans, besides those that usually hold secrets (`token`, `code`, `state` and others).',
  privacy: 'What is kept about people.',
  'privacy.client_address':
    'The address of a client: whole (keep), as the network that it is in (truncate: /24, or /48 of IPv6), or as a hash under a salt that changes every day (hash).',
  log: "Signet's own log: JSON lines on standard error.",
  'log.level': 'What is logged: this level and all above it; `silent` is nothing.',
};
