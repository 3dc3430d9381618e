// The URL that `signet doctor` is to look at, as somebody typed it. Pure.
import { visible } from '../visible.ts';

/** Returns it, or why it is none that can be asked; a password in it is not told. */
export function parseSite(text: string): URL | { readonly problem: string } {
  const url = URL.parse(text);
  if (url === null || !isWeb(url)) return { problem: withoutScheme(text) };
  if (url.username === '' && url.password === '') return url;
  return {
    problem: 'doctor signs nobody in: allowed is a URL without a user and a password in it',
  };
}

// `localhost:8443/` is one with the scheme `localhost:`, to the standard.
function withoutScheme(text: string): string {
  const allowed = 'allowed is a URL that begins with https:// or http://';
  const meant = text.includes('://') ? null : URL.parse(`https://${text}`);
  if (meant === null || meant.username !== '' || meant.password !== '') {
    return `${allowed}, like https://app.example.com/`;
  }
  return `${visible(text)} lacks its scheme: ${allowed}, like ${visible(meant.href)}`;
}

function isWeb({ protocol }: URL): boolean {
  return protocol === 'https:' || protocol === 'http:';
}
