// Whether what comes without TLS is only led to https: then nothing is served there, and nobody has to sign in.
import type { MatcherSet } from '../edge/adapted.ts';
import { recordAt, textsAt } from '../edge/adapted.ts';
import type { Visit } from '../edge/walk.ts';
import { servedBy } from './places.ts';
import type { Site } from './rule.ts';

/**
 * Returns whether the site, before it does anything else, redirects to https whatever comes by http. Behind a gate that
 * is too late: who is signed out would have to sign in first.
 */
export function onlyLeadsToHttps({ visits }: Site): boolean {
  const first = visits.find((visit) => visit.gate || servedBy(visit) || isLed(visit));
  return first !== undefined && isLed(first);
}

function isLed({ handler, given, mode }: Visit): boolean {
  if (mode !== 'request' || handler.handler !== 'static_response') return false;
  const [location = ''] = textsAt(recordAt(handler['headers'])['Location']);
  const isForAll = given.every(({ sets }) => sets.some(isByProtocol));
  return isForAll && /^3\d\d$/.test(String(handler['status_code'])) && /^https:/i.test(location);
}

function isByProtocol(set: MatcherSet): boolean {
  return Object.entries(set).every(([name, wanted]) => name === 'protocol' && wanted === 'http');
}
