// The page that Caddy 2.11 makes of `redir TO html`: a redirect for browsers alone, as a 200 with a body.
import { type Handler, recordAt } from './adapted.ts';
import { withoutOperators } from './effects.ts';

const PAGE = `<!DOCTYPE html>
<html>
	<head>
		<title>Redirecting...</title>
		<script>window.location.replace("%s");</script>
		<meta http-equiv="refresh" content="0; URL='%s'">
	</head>
	<body>Redirecting to <a href="%s">%s</a>...</body>
</html>
`;
const TARGET = /window\.location\.replace\("([^"]*)"\)/;

/** As Go's `html.EscapeString` writes them. */
const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&#34;': '"',
  '&#39;': "'",
};

/** Returns where a page of `redir TO html` leads; undefined for any other body, however alike. */
export function htmlTarget(body: unknown): string | undefined {
  if (typeof body !== 'string') return undefined;
  const [, written] = TARGET.exec(body) ?? [];
  if (written === undefined || PAGE.replaceAll('%s', () => written) !== body) return undefined;
  const isEscaped = /^(?:[^<>"'&]|&(?:amp|lt|gt|#34|#39);)*$/.test(written);
  return isEscaped
    ? written.replaceAll(/&[a-z#0-9]+;/g, (entity) => ENTITIES[entity] ?? entity)
    : undefined;
}

/**
 * What the client asked for, as it spelled it: it is told nothing new. A path with its escapes read is another thing: it
 * may have quotes and tags in it, which Caddy puts into the page as they are.
 */
const ASKED_FOR =
  /\{http\.request\.(?:scheme|host|hostport|port|(?:orig_)?uri(?:\.(?:prefixed_)?query)?|uri_escaped|uri\.(?:path|query)_escaped)\}/g;

/**
 * Returns where a handler that came of `redir TO html` leads; undefined for any other, and where Caddy fills in what
 * is neither the operator's nor what was asked for: that could be anything.
 */
export function htmlRedirectOf({ handler, ...others }: Handler): string | undefined {
  if (handler !== 'static_response') return undefined;
  const { body, headers, status_code: status, ...more } = others as Record<string, unknown>;
  const { 'Content-Type': type, ...rest } = recordAt(headers);
  const isPage = Array.isArray(type) && type.join() === 'text/html; charset=utf-8';
  const isPlain = Object.keys(rest).length === 0 && Object.keys(more).length === 0;
  const target = isPage && isPlain && Number(status) === 200 ? htmlTarget(body) : undefined;
  const filled = withoutOperators(target ?? '').replaceAll(ASKED_FOR, '');
  return filled.includes('{') ? undefined : target;
}
