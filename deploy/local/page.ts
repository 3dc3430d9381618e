// The look of the local stack's pages. Values are escaped here, and only here.

/** Markup that is safe to put into a page. */
export type Html = { readonly html: string };

/** Returns markup; every value that is not itself `Html` is escaped. */
export function html(
  text: TemplateStringsArray,
  ...values: (Html | Html[] | string | number)[]
): Html {
  return { html: String.raw({ raw: text }, ...values.map(markup)) };
}

function markup(value: Html | Html[] | string | number): string {
  if (Array.isArray(value)) return value.map(markup).join('');
  return typeof value === 'object' ? value.html : escape(String(value));
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

const STYLE: Html = {
  html: `
  :root { color-scheme: light dark; --line: #8884; --quiet: #777; --strong: #3b5bdb; }
  body { font: 16px/1.55 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1.2rem; }
  h1 { font-size: 1.5rem; margin: 0 0 .3rem; }
  p.quiet, td.quiet { color: var(--quiet); }
  table { border-collapse: collapse; width: 100%; margin: 1.2rem 0; }
  th, td { text-align: left; padding: .45rem .6rem; border-bottom: 1px solid var(--line); }
  th { font-weight: 600; color: var(--quiet); width: 10rem; }
  code, pre, output { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
  a { color: var(--strong); }
  form label { display: block; margin: .8rem 0; }
  input { display: block; font: inherit; padding: .45rem .6rem; width: 16rem; border: 1px solid var(--line); border-radius: 6px; }
  button { font: inherit; padding: .45rem 1.2rem; border: 0; border-radius: 6px; background: var(--strong); color: #fff; }
  .error { border-left: 4px solid #e03131; padding: .2rem .8rem; }`,
};

/** Returns a whole page. */
export function page(title: string, body: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title}</title>
        <style>
          ${STYLE}
        </style>
      </head>
      <body>
        <h1>${title}</h1>
        ${body}
      </body>
    </html>`.html;
}
