// All names that leave on a span: OpenTelemetry's semantic conventions (1.45) where they exist, ours
// where they don't. No other file spells one, but for identity/traced-call.ts, which knows no room of ours.

/** The scope of every span that Signet makes. */
export const SCOPE = 'signet';

/** Name of the INTERNAL span: the decision. */
export const GATE_SPAN = 'signet.verify';

export const NAMES = {
  requestMethod: 'http.request.method',
  requestMethodOriginal: 'http.request.method_original',
  requestBodySize: 'http.request.body.size',
  responseBodySize: 'http.response.body.size',
  responseStatus: 'http.response.status_code',
  resendCount: 'http.request.resend_count',
  route: 'http.route',
  urlPath: 'url.path',
  urlQuery: 'url.query',
  urlScheme: 'url.scheme',
  urlTemplate: 'url.template',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  clientAddress: 'client.address',
  peerAddress: 'network.peer.address',
  protocolVersion: 'network.protocol.version',
  userAgent: 'user_agent.original',
  errorType: 'error.type',
  user: 'user.id',
  roles: 'user.roles',
  team: 'team',
  userType: 'user_type',
  decision: 'signet.decision',
  reason: 'signet.reason',
  requirement: 'signet.requirement',
  requestId: 'signet.request_id',
  issuer: 'signet.issuer',
  authMethod: 'signet.auth_method',
  actorSubject: 'signet.actor.subject',
  actorIssuer: 'signet.actor.issuer',
  actorDepth: 'signet.actor.depth',
  actorChain: 'signet.actor.chain',
  sampledLate: 'signet.sampled_late',
  auditSequence: 'signet.audit.sequence',
  auditHash: 'signet.audit.hash',
} as const;

/** Methods that are their own value; others are `_OTHER` with the original beside it. */
export const KNOWN_METHODS: ReadonlySet<string> = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'QUERY',
  'TRACE',
]);
