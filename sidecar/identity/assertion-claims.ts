// What an assertion says of its caller, and what is left out first where that would be too long for a header.
// Pure: times, keys and signatures are assertion.ts's.
import { actorDepth, type Actor, type Identity } from './identity.ts';

/** Longest list of roles in bytes; whole ones are left out beyond it, as a header must fit into an app's bound. */
export const MAX_ROLES_BYTES = 2048;

/** Returns the claims of who is calling, apart from roles and actors. */
export function callerClaims({ issuer, subject, user, team, type }: Identity) {
  return {
    idp_iss: issuer,
    sub: subject,
    user,
    ...(team !== undefined && { team }),
    user_type: type,
  };
}

/**
 * Returns these claims with the caller's roles and actors, in so many bytes of JSON. Roles make room first, then
 * the actors within the latest one, and a claim says so. Undefined where the others alone are too long: who is
 * calling is never cut, for then it could be somebody else.
 */
export function fittingClaims(common: object, { roles, actor }: Identity, room: number) {
  const least = { ...common, roles: [], roles_incomplete: true };
  const acts = actsOf(actor).map((act) => ({ act, left: room - bytesOf({ ...least, ...act }) }));
  const found = acts.find(({ left }) => left >= 0);
  return found && { ...common, ...rolesOf(roles, found.left), ...found.act };
}

function rolesOf(roles: readonly string[], left: number) {
  let [bytes, written] = [0, 0];
  const fitting = roles.filter((role) => {
    bytes += Buffer.byteLength(role);
    written += bytesOf(role) + 1; // the comma
    return bytes <= MAX_ROLES_BYTES && written <= left;
  });
  const isWhole = fitting.length === roles.length;
  return { roles: fitting, ...(!isWhole && { roles_incomplete: true }) };
}

// The whole chain, then shorter ones; the latest actor is in each.
function actsOf(actor: Actor | undefined): Record<string, unknown>[] {
  if (actor === undefined) return [{}];
  const depth = actorDepth({ actor });
  const shorter = Array.from({ length: depth - 1 }, (_, at) => depth - 1 - at);
  const incomplete = shorter.map((most) => ({ act: toAct(actor, most), act_incomplete: true }));
  return [{ act: toAct(actor, depth) }, ...incomplete];
}

// RFC 8693 section 4.1.
function toAct({ subject, issuer, actor }: Actor, most: number): Record<string, unknown> {
  return {
    sub: subject,
    ...(issuer !== undefined && { iss: issuer }),
    ...(actor !== undefined && most > 1 && { act: toAct(actor, most - 1) }),
  };
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
