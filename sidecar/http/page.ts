// One HTML document around what a page says: language, landmark, one heading, no script, and the policy that allows
// nothing but its own style. Every value is text. Knows no particular page.
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** A whole answer but for its status. */
export type Page = {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
};

/** What a person can do next: follow a link, or post a form, which stays on this host. */
export type PageAction = { readonly label: string; readonly href: string; readonly post?: true };

export type PageContent = {
  /** A BCP 47 tag. */
  readonly lang: string;
  readonly title: string;
  readonly paragraphs: readonly string[];
  /** The first is what most people want. */
  readonly actions?: readonly PageAction[];
  /** The actions are equal choices, below each other. */
  readonly isChoice?: true;
  /** What stands below, smaller: for whoever runs this site, and the id to quote. */
  readonly asides?: readonly { readonly text: string; readonly code?: string }[];
  /** Where the browser goes by itself. Only to an address that the operator has configured. */
  readonly goOnTo?: string;
  /** With a form: under `no-referrer`, the default, a browser posts it without an `Origin`. */
  readonly referrer?: 'same-origin';
};

/** Returns what makes pages of content, in this style. */
export function createFrame(style: string): (content: PageContent) => Page {
  const css = asParsed(style);
  const policy = policyFor(css);
  return (content) => ({
    html: documentOf(content, css),
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Language': content.lang,
      'Cache-Control': 'no-store',
      'Content-Security-Policy': policy,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': content.referrer ?? 'no-referrer',
    },
  });
}

/** Sends a page. */
export function sendPage(res: ServerResponse, status: number, { html, headers }: Page): void {
  res.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(html) });
  res.end(html);
}

// A browser makes CR LF and CR a LF before it hashes (HTML standard, 13.2.3.5), and would find another hash.
function asParsed(style: string): string {
  return style.replaceAll(/\r\n?/g, '\n');
}

function policyFor(css: string): string {
  const hash = createHash('sha256').update(css).digest('base64');
  return `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`;
}

function documentOf(content: PageContent, css: string): string {
  const { lang, title, paragraphs, actions = [], asides = [], isChoice } = content;
  const body = [
    `<h1>${escapeHtml(title)}</h1>`,
    ...paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`),
    list(actions.map(actionHtml)),
    asides.length > 0 ? `<div class="aside">${asides.map(asideHtml).join('')}</div>` : '',
  ];
  return `<!doctype html>
<html lang="${escapeHtml(lang)}"${isRightToLeft(lang) ? ' dir="rtl"' : ''}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${refresh(content.goOnTo)}<title>${escapeHtml(title)}</title>
<style>${css}</style>
</head>
<body>
<main${isChoice ? ' class="choices"' : ''}>
${body.filter((part) => part !== '').join('\n')}
</main>
</body>
</html>
`;
}

function refresh(to: string | undefined): string {
  return to === undefined ? '' : `<meta http-equiv="refresh" content="0;url=${escapeHtml(to)}">\n`;
}

// `role`: without bullets, Safari would not say that it is a list.
function list(items: readonly string[]): string {
  if (items.length === 0) return '';
  return `<ul class="actions" role="list">${items.map((item) => `<li>${item}</li>`).join('')}</ul>`;
}

function actionHtml({ label, href, post }: PageAction): string {
  const to = escapeHtml(href);
  const text = escapeHtml(label);
  return post
    ? `<form method="post" action="${to}"><button class="action">${text}</button></form>`
    : `<a class="action" href="${to}">${text}</a>`;
}

function asideHtml({ text, code }: { text: string; code?: string }): string {
  const quoted = code === undefined ? '' : ` <code>${escapeHtml(code)}</code>`;
  return `<p>${escapeHtml(text)}${quoted}</p>`;
}

/** Languages that are written from right to left, of those that somebody may translate the pages into. */
const RIGHT_TO_LEFT = new Set(['ar', 'ckb', 'fa', 'he', 'ps', 'sd', 'ug', 'ur', 'yi']);

function isRightToLeft(lang: string): boolean {
  return RIGHT_TO_LEFT.has(lang.split('-', 1)[0]?.toLowerCase() ?? '');
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ESCAPES[char] ?? char);
}
