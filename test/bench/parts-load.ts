// Asks over a unix socket by so many kept connections, one question at a time on each, and counts the
// answers by status. h2load can't give each request an id of its own, and only the other process counts.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** How many connections Caddy keeps to the gate under load, or so. */
const CONNECTIONS = 16;

export type Load = {
  readonly socket: string;
  readonly requests: number;
  /** Returns the bytes of the how-manieth request. */
  readonly bytesOf: (number: number) => Buffer;
};

/** Resolves to how many answers had which status, when all are there. */
export async function load({ socket, requests, bytesOf }: Load): Promise<Map<number, number>> {
  const statuses = new Map<number, number>();
  let asked = 0;
  const next = () => (asked < requests ? bytesOf(asked++) : undefined);
  const told = (status: number) => statuses.set(status, (statuses.get(status) ?? 0) + 1);
  await Promise.all(Array.from({ length: CONNECTIONS }, () => askBy(connect(socket), next, told)));
  return statuses;
}

async function askBy(
  connection: Socket,
  next: () => Buffer | undefined,
  told: (status: number) => void,
): Promise<void> {
  await once(connection, 'connect');
  let text = '';
  const ask = () => {
    const bytes = next();
    if (bytes === undefined) connection.end();
    else connection.write(bytes);
  };
  connection.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
    if (!isWhole(text)) return;
    told(Number(text.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length)));
    text = '';
    ask();
  });
  const closed = once(connection, 'close');
  ask();
  await closed;
}

function isWhole(text: string): boolean {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
  return text.length >= headEnd + 4 + Number(length ?? 0);
}
