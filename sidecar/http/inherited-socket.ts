// A listening socket that was made before this process and is kept open beyond it (systemd's socket activation,
// sd_listen_fds(3)): while the sidecar is started anew, connections wait in the kernel's queue. Only
// unix sockets: over TCP it would be too easy to answer without the shared key.
import { fstatSync, readFileSync, realpathSync } from 'node:fs';
import { Fault } from '../fault.ts';

/** The first descriptor that is handed over; 0 to 2 are a process's own. */
const FIRST_DESCRIPTOR = 3;
const VARIABLES = ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID'];
/** In /proc/net/unix: a socket that accepts connections (`__SO_ACCEPTCON`), of type SOCK_STREAM. */
const ACCEPTS = 0x10000;
const STREAM = 1;

/** A descriptor of this process, and the path at which its socket listens. */
export type InheritedSocket = { readonly fd: number; readonly path: string };

/**
 * Returns the socket that was handed over; undefined if the variables LISTEN_FDS and LISTEN_PID name none. They are taken
 * out of `env`: they are meant for this process alone. Fault ERR_SOCKET_IN_USE for anything but one listening
 * unix socket for the process `pid`.
 */
export function takeInheritedSocket(
  env: NodeJS.ProcessEnv,
  pid: number,
): InheritedSocket | undefined {
  const { LISTEN_FDS: count = '0', LISTEN_PID: meantFor } = env;
  for (const name of VARIABLES) delete env[name];
  if (count === '0') return undefined;
  if (meantFor !== String(pid)) throw meantForAnother(meantFor, pid);
  if (count !== '1') {
    throw unfit(`LISTEN_FDS is ${count}`, 'let one socket unit with one ListenStream= start it');
  }
  return { fd: FIRST_DESCRIPTOR, path: pathOf(FIRST_DESCRIPTOR) };
}

/** Returns whether both paths lead to the same socket, by way of a symbolic link, too (`/var/run`). */
export function isSamePath(one: string, other: string): boolean {
  if (one === other) return true;
  try {
    return realpathSync(one) === realpathSync(other);
  } catch {
    return false;
  }
}

// Not passed over in silence, as sd_listen_fds(3) does: the socket is in use then, and nobody would know by whom.
function meantForAnother(meantFor: string | undefined, pid: number): Fault {
  const read = meantFor === undefined ? 'LISTEN_PID is not set' : `LISTEN_PID is ${meantFor}`;
  const mend = 'start it with `exec`, or unset LISTEN_FDS and LISTEN_PID to have it make its own';
  return unfit(`${read}, and this is process ${pid}`, mend);
}

function unfit(read: string, mend: string): Fault {
  return new Fault('ERR_SOCKET_IN_USE', `no socket can be taken over: ${read}; ${mend}`);
}

// Node does not tell at which path a descriptor listens; the kernel does.
function pathOf(fd: number): string {
  const mend = 'let it be a ListenStream= with a path, in the same network namespace';
  const inode = inodeOf(fd);
  if (inode === undefined) throw unfit(`descriptor ${fd} is no socket`, mend);
  const path = readFileSync('/proc/self/net/unix', 'utf8')
    .split('\n')
    .map(listeningPath(inode))
    .find((found) => found !== undefined);
  if (path === undefined) throw unfit(`descriptor ${fd} is no listening unix socket`, mend);
  return path;
}

function inodeOf(fd: number): bigint | undefined {
  try {
    const stats = fstatSync(fd, { bigint: true });
    return stats.isSocket() ? stats.ino : undefined;
  } catch {
    return undefined; // there is no such descriptor
  }
}

/** A line has `Num RefCount Protocol Flags Type St Inode Path`; numbers are hexadecimal but for the inode. */
function listeningPath(wanted: bigint): (line: string) => string | undefined {
  return (line) => {
    const [, , , flags = '', type = '', , inode, ...path] = line.trim().split(/ +/);
    const isListening = (parseInt(flags, 16) & ACCEPTS) !== 0 && parseInt(type, 16) === STREAM;
    const isWanted = inode === String(wanted) && isListening && path.length > 0;
    return isWanted ? path.join(' ') : undefined;
  };
}
