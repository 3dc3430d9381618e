// How Signet's pages look when the operator brings no CSS of their own: light and dark, one column, no
// image and no font of anybody's. The pages can be read without it, too.

/**
 * Everything is in `rem` and wraps, so that it holds at 200 % and on a narrow screen. Contrast is above 4.5:1 for
 * text and 3:1 for what can be pressed, in both schemes (WCAG 2.2, 1.4.3 and 1.4.11).
 */
export const THEME = `
:root{color-scheme:light dark;--ink:#1c2024;--soft:#59626b;--paper:#f4f5f7;--card:#fff;--line:#d9dde2;--accent:#1a56b0;--on-accent:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#a7b0ba;--paper:#131619;--card:#1c2024;--line:#373d44;--accent:#8ab8ff;--on-accent:#10151c}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.25rem;background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,sans-serif}
main{width:100%;max-width:34rem;padding:clamp(1.25rem,6vw,2.25rem);background:var(--card);border:1px solid var(--line);border-radius:.75rem;overflow-wrap:anywhere}
h1{margin:0 0 .75rem;font-size:1.4rem;line-height:1.25;text-wrap:balance}
p{margin:0 0 .9rem}
.actions{margin:1.5rem 0 0;padding:0;display:flex;flex-wrap:wrap;gap:.75rem;list-style:none}
.choices .actions{flex-direction:column}
.action{display:inline-block;padding:.6rem 1rem;border:1px solid var(--accent);border-radius:.45rem;background:none;color:var(--accent);font:inherit;text-align:start;text-decoration:none;cursor:pointer}
.choices .action{display:block}
main:not(.choices) li:first-child .action{background:var(--accent);color:var(--on-accent)}
.action:hover{text-decoration:underline}
.action:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.aside{margin-top:1.75rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);font-size:.875rem}
.aside p{margin:0 0 .5rem}
code{font-family:ui-monospace,monospace}
`;
