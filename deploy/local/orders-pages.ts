// What the sample app shows. It believes the Remote-* headers: only Signet can set them.
import type { IncomingHttpHeaders } from 'node:http';
import { html, page, type Html } from './page.ts';

export type Stock = { readonly product: string; readonly quantity: number };

/** Who is calling, as the app was told. */
const WHO: readonly (readonly [label: string, header: string])[] = [
  ['User', 'remote-user'],
  ['Name', 'remote-name'],
  ['E-mail', 'remote-email'],
  ['Team', 'remote-team'],
  ['Groups', 'remote-groups'],
  ['Type', 'remote-user-type'],
  ['Request', 'x-request-id'],
];

const LINKS: readonly (readonly [href: string, what: string])[] = [
  ['/orders', 'allowed: orders, their stock from a second process and its database'],
  ['/payments/', 'for team payments: allowed for alice, refused for bob'],
  ['/admin/', 'for people with the role auditor: refused for all but carol'],
  ['/slow?ms=300', 'slow: takes at least 300 ms'],
  ['/fail', 'failing: the app answers 500'],
  ['/stream', 'streaming: a line every half second'],
  ['/socket', 'a WebSocket: one row, written when it closes'],
  ['/download', 'a long download: break it off'],
  ['/public/', 'public: nobody has to be signed in'],
  ['/open/', 'an unprotected block: the app learns nothing about you'],
  ['/.signet/me', 'what Signet knows about you'],
  ['/.signet/logout', 'sign out'],
  ['/.signet/login?prompt=login&return=/', 'be someone else'],
];

function rows(entries: readonly (readonly [string, string])[]): Html[] {
  return entries.map(
    ([label, value]) =>
      html`<tr>
        <th>${label}</th>
        <td>${value}</td>
      </tr>`,
  );
}

function who(headers: IncomingHttpHeaders, traceId: string): Html {
  const known = WHO.flatMap(([label, header]) => {
    const value = headers[header];
    return typeof value === 'string' && value !== '' ? [[label, value] as const] : [];
  });
  return html`<table>
    ${rows([...known, ['Trace', traceId]])}
  </table>`;
}

/** Returns the front page: who you are, your trace id, and where to click. */
export function frontPage(headers: IncomingHttpHeaders, traceId: string): string {
  const links = LINKS.map(
    ([href, what]) =>
      html`<tr>
        <td><a href="${href}">${href}</a></td>
        <td class="quiet">${what}</td>
      </tr>`,
  );
  const name = String(headers['remote-name'] ?? headers['remote-user'] ?? 'whoever you are');
  return page(
    `Hello, ${name}`,
    html`${who(headers, traceId)}
      <table>
        ${links}
      </table>`,
  );
}

/** Returns a page that only says that you are in, and as whom. */
export function plainPage(title: string, headers: IncomingHttpHeaders, traceId: string): string {
  return page(title, html`${who(headers, traceId)} ${back}`);
}

/** Returns the page of orders with what is in stock. */
export function ordersPage(stock: readonly Stock[], traceId: string): string {
  const lines = stock.map(({ product, quantity }) => [product, `${quantity} in stock`] as const);
  return page(
    'Orders',
    html`<table>
        ${rows([...lines, ['Trace', traceId]])}
      </table>
      ${back}`,
  );
}

/** Returns a page that opens a WebSocket and shows what it says. */
export function socketPage(): string {
  return page(
    'WebSocket',
    html`<p><output id="said">connecting &hellip;</output></p>
      <script>
        const socket = new WebSocket('wss://' + location.host + '/socket');
        const said = document.getElementById('said');
        socket.onmessage = (event) => (said.textContent = event.data);
        socket.onclose = () => (said.textContent += ' – closed');
      </script>
      ${back}`,
  );
}

const back: Html = html`<p><a href="/">Back</a></p>`;
