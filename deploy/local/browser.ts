// A person at a browser: cookies, redirects, and the sign-in form of the local provider. What the site
// answers is reported, each answer on its own; what the provider answers is not.
import type { Answer, Ask, Client } from './client.ts';
import { createCookieJar } from './cookie-jar.ts';

/** Is told of every answer of the site, with what was asked for. */
export type Report = (what: string, answer: Answer) => void;

export type Browser = {
  /** Asks for a page of the site, and for nothing that it redirects to. */
  open(path: string): Promise<Answer>;
  /** Opens a page, goes where it redirects, fills in the provider's form, and ends on the page. */
  signIn(login: string, path: string): Promise<Answer>;
  /** Goes to a URL anywhere, and on to wherever that leads; ends there. */
  visit(url: string): Promise<Answer>;
  /** Asks for a page and leaves in the middle of it. */
  abort(path: string): Promise<Answer>;
  /** Holds a WebSocket. */
  hold(path: string, forMs: number): Promise<Answer>;
};

/** What browsers send with a navigation. */
const NAVIGATION = {
  accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  'user-agent': 'Mozilla/5.0 (Signet demo)',
};
const MAX_REDIRECTS = 15;

/** Returns a browser without cookies, for a site such as `https://localhost:8443`. */
export function createBrowser(client: Client, site: string, report: Report): Browser {
  const jar = createCookieJar();

  async function send(ask: Ask, by: (ask: Ask) => Promise<Answer> = client.ask): Promise<Answer> {
    const cookie = jar.header(ask.url);
    const headers = { ...NAVIGATION, ...ask.headers, ...(cookie !== undefined && { cookie }) };
    const answer = await by({ ...ask, headers });
    jar.keep(ask.url, answer.headers['set-cookie'] ?? []);
    const { origin, pathname } = new URL(ask.url);
    if (origin === site) report(`${ask.method ?? 'GET'} ${pathname}`, answer);
    return answer;
  }

  // Goes on to wherever the answers lead; returns the last one and where it was.
  async function follow(ask: Ask): Promise<{ url: string; answer: Answer }> {
    let next = ask;
    for (let hops = 0; hops < MAX_REDIRECTS; hops++) {
      const answer = await send(next);
      const onward = redirect(answer, next.url) ?? selfSubmitted(answer, next.url);
      if (onward === undefined) return { url: next.url, answer };
      next = onward;
    }
    throw new Error(`more than ${MAX_REDIRECTS} redirects from ${ask.url}`);
  }

  async function signIn(login: string, path: string): Promise<Answer> {
    const form = await follow({ url: site + path });
    const action = /<form method="post" action="([^"]+)"/.exec(form.answer.body)?.[1];
    if (action === undefined) throw new Error(`no sign-in form at ${form.url}`);
    return (await follow(post(new URL(action, form.url), { login, password: 'any' }))).answer;
  }

  return {
    open: (path) => send({ url: site + path }),
    signIn,
    visit: async (url) => (await follow({ url })).answer,
    abort: (path) => send({ url: site + path }, client.abort),
    hold: (path, forMs) => send({ url: site + path }, (ask) => client.hold(ask, forMs)),
  };
}

function redirect({ headers: { location } }: Answer, from: string): Ask | undefined {
  return location === undefined ? undefined : { url: new URL(location, from).href };
}

// The provider's pages that sign out, or change from one person to another, submit themselves by script.
function selfSubmitted({ body }: Answer, from: string): Ask | undefined {
  const action = /<form [^>]*method="post" action="([^"]+)"/.exec(body)?.[1];
  if (action === undefined || !body.includes('.submit()')) return undefined;
  const inputs = body.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g);
  const fields = [...inputs].map(([, name = '', value = '']) => [name, value]);
  return post(new URL(action, from), Object.fromEntries(fields) as Record<string, string>);
}

function post(url: URL, fields: Record<string, string>): Ask {
  return {
    url: url.href,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  };
}
