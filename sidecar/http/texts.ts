// Every word that people read of Signet, in English: the catalogue that other languages translate. Two sentences at
// most: what is the matter, and what one can do. `{name}` is a place that the page fills.

export const ENGLISH = {
  'request-id': 'Request id:',
  'for-operator': 'For whoever runs this site: {advice}',
  'try-again': 'Try again',
  'sign-out': 'Sign out',

  'chooser.title': 'How do you want to sign in?',
  'chooser.text': 'Choose who knows you. You will come back to the page that you wanted.',
  'chooser.action': 'Continue with {label}',

  'signed-in.title': 'You are signed in',
  'signed-in.text': 'You can close this window, and go on in the one where you were.',

  'signed-out.title': 'You are signed out',
  'signed-out.here':
    'Your session on this site has ended. You may still be signed in at your identity provider.',
  'signed-out.both': 'Your session has ended, on this site and at your identity provider.',
  'signed-out.provider': 'Sign out at the identity provider, too',
  'signed-out.again': 'Sign in again',
  'signed-out-here.title': 'You are signed out in this browser',
  'signed-out-here.text':
    'This browser no longer has your session. The site could not write down everywhere that it has ended.',

  'confirm-sign-out.title': 'Do you want to sign out?',
  'confirm-sign-out.text': 'A link on another site brought you here.',
  'confirm-sign-out.stay': 'Stay signed in',
  'foreign-sign-out.title': 'You are still signed in',
  'foreign-sign-out.text':
    'This request came from another site, and was not followed. To sign out, use the link of this site.',
  'leaving.title': 'You are signed out of this site',
  'leaving.text': 'Your identity provider ends your session there next.',
  'leaving.action': 'Go on to the identity provider',

  'forbidden.title': 'You don’t have access to this page',
  'forbidden.who': 'You are signed in as {user}.',
  'forbidden.requirement': 'To see this page you need to {requirement}.',
  'forbidden.ask':
    'If you think that you should have access, ask whoever runs this site, and quote the request id below.',
  'forbidden.other': 'Sign in as someone else',
  'forbidden.overage':
    'Your identity provider left your groups out of its answer, because you are in too many. So this site can’t tell whether you are in the right one; signing in again does not change that.',
  'forbidden.overage.operator':
    'this is the groups overage of Entra ID. Let it send only the groups assigned to the application, or send app roles instead.',

  'requirement.user': 'be {values}',
  'requirement.team': 'be in the team {values}',
  'requirement.role': 'have the role {values}',
  'requirement.type': 'be of the type {values}',
  'requirement.type.human': 'be a person, not an agent',
  'requirement.scope': 'hold the scope {values}',
  'requirement.idp': 'sign in with {values}',
  'requirement.actors.none': 'have no agent acting for you',
  'requirement.actors.some': 'have no more than {values} acting for you',
  'requirement.any': 'be signed in',
  'requirement.or': ' or ',
  'requirement.and': ' and ',

  'misconfigured.title': 'This page is closed',
  'misconfigured.text': 'It stays so until its operator has mended what it asks of its readers.',
  'misconfigured.operator':
    'the requirement in the Caddyfile can’t be read. Signet’s log says what is wrong with it.',
  'uncheckable.title': 'Who you are cannot be checked right now',
  'uncheckable.text': 'Nothing is wrong with your request. Please try again shortly.',

  'unavailable.title': 'Signing in is not possible right now',
  'unavailable.provider':
    'The identity provider can’t be reached, or does not answer as it should.',
  'unavailable.store': 'Sessions can’t be stored at the moment.',
  'unavailable.text':
    'Whoever is signed in already can go on working. Please try again in a minute.',
  'unavailable.operator': '`/readyz` and `signet status` say what is down, and Signet’s log why.',

  'failed.cookies.title': 'Your browser may block cookies',
  'failed.cookies.text':
    'It does not show the cookie of this sign-in, or you began in another browser. Allow cookies for this site, and start again.',
  'failed.cookies.operator':
    'if everybody sees this, the browser does not get Signet’s cookies. They need https, and nothing on the way may drop Set-Cookie.',
  'failed.mismatch.title': 'This answer belongs to another sign-in',
  'failed.mismatch.text':
    'It is one of another tab, browser or site. Start again from the page that you wanted.',
  'failed.used.title': 'This sign-in is finished already',
  'failed.used.text':
    'You may have gone back, or loaded the page again. Start again if you are not signed in.',
  'failed.expired.title': 'This sign-in took too long',
  'failed.expired.text': 'It has expired after ten minutes. Start again.',
  'failed.refused.title': 'Your identity provider did not sign you in',
  'failed.refused.text':
    'You may have cancelled it, or you may not use this site. Try again, or ask whoever runs this site.',
  'failed.refused.said': 'It said: {detail}',
  'failed.redirect.title': 'Your identity provider does not know this address',
  'failed.redirect.text':
    'It sends people back only to addresses that were registered there, and this site’s is not. Only whoever runs this site can mend that.',
  'failed.redirect.operator':
    'register the redirect URI of this site with the client at the provider, exactly as Signet’s log has it.',
  'failed.redirect.operator.uri':
    'register this redirect URI with the client at the provider, exactly as it stands here:',
  'failed.clock.title': 'The clocks of two servers disagree',
  'failed.clock.text':
    'Your identity provider’s answer was not valid at this site’s time. Nothing is wrong with your account; try again later.',
  'failed.clock.operator':
    'compare the clock of Signet’s machine with the provider’s, and let both follow a time server (NTP).',
  'failed.audience.title': 'Your identity provider’s answer was for another application',
  'failed.audience.text':
    'So this site must not accept it. Only whoever runs this site can mend that.',
  'failed.audience.operator':
    'the ID token’s audience is not this client. Compare client_id with the one at the provider.',
  'failed.code.title': 'Your identity provider did not confirm the sign-in',
  'failed.code.text':
    'Start again. If it happens again, quote the request id below to whoever runs this site.',
  'failed.code.operator':
    'Signet’s log has the provider’s words under this request id. Most often the client’s secret is wrong, or has expired.',
  'failed.untrusted.title': 'Your identity provider’s answer could not be trusted',
  'failed.untrusted.text':
    'Start again. If it happens again, quote the request id below to whoever runs this site.',
  'failed.untrusted.operator':
    'Signet’s log says under this request id which check the answer did not pass.',
  'failed.provider.title': 'This site does not use that identity provider',
  'failed.provider.text':
    'It may have done so until lately. Start again from the page that you wanted.',
  'failed.host.title': 'Nobody can sign in under this address',
  'failed.host.text': 'Use the site’s usual address.',
  'failed.host.operator':
    'where `hosts` is set, sign-in works under those hosts only. Add this one, with its port, if it is yours.',
  'failed.loop.title': 'You keep being sent to sign in',
  'failed.loop.text':
    'You signed in several times within seconds, and this site did not recognise you afterwards. Your browser may block cookies for this site: allow them, then try again.',
  'failed.loop.operator':
    'the session’s cookie does not come back, or the clocks of two sidecars disagree. Look whether something on the way drops cookies.',
} as const;

export type TextKey = keyof typeof ENGLISH;

/** One language's words, all of them. */
export type Texts = Readonly<Record<TextKey, string>>;

/** An operator's own words: by language (a BCP 47 tag), then by key. What is not there stays as it is. */
export type TextsByLanguage = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Returns the text with its places filled; a place that nobody fills stays as it stands. */
export function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{([a-z]+)\}/g, (place, name: string) => values[name] ?? place);
}

/** Returns the names of the places in a text. */
export function placesIn(text: string): string[] {
  return [...text.matchAll(/\{([a-z]+)\}/g)].map(([, name = '']) => name).toSorted();
}
