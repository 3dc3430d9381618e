// HTTPS through a proxy. Node's own way (24) keeps the socket of a tunnel that came to nothing, for good, and
// hears none of its errors, one of which would end the thread: so connections come through tunnel.ts.
import { Agent, type AgentOptions, type RequestOptions } from 'node:https';
import { connect, type Socket } from 'node:net';
import { Fault } from '../fault.ts';
import { noAnswer } from './caller.ts';
import { tunnelTo } from './tunnel.ts';

export type Tunnelled = {
  /** `host:port` of the destination. */
  readonly to: string;
  readonly proxy: URL;
  /** Longest wait for the proxy, and for TLS beyond it. */
  readonly timeoutMs: number;
};

/** Returns an agent for one destination. */
export function createTunnelAgent(options: AgentOptions, tunnelled: Tunnelled): Agent {
  const agent = new Agent(options);
  const secure = agent.createConnection.bind(agent);
  const destroy = agent.destroy.bind(agent);
  /** On which TLS isn't spoken yet. */
  const pending = new Set<Socket>();

  async function open(given: RequestOptions) {
    const { to, proxy, timeoutMs } = tunnelled;
    const socket = connect(Number(proxy.port || 80), hostOf(proxy));
    pending.add(socket);
    const late = setTimeout(() => {
      socket.destroy(new Fault('ERR_DELIVERY', noAnswer(timeoutMs)));
    }, timeoutMs);
    const settle = () => {
      clearTimeout(late);
      pending.delete(socket);
    };
    socket.once('close', settle);
    const far = await tunnelTo(to, proxy, socket);
    const secured = secure({ ...given, socket: far } as RequestOptions);
    secured?.once('secureConnect', settle).once('close', () => socket.destroy());
    // Whoever asked for it may have gone meanwhile.
    return secured?.on('error', () => undefined);
  }

  agent.createConnection = (given, done) => {
    open(given).then(
      (socket) => socket && done?.(null, socket),
      // With an error there is no socket.
      (error: Error) => done?.(error, undefined as never),
    );
    return undefined;
  };
  agent.destroy = () => {
    for (const socket of pending) socket.destroy();
    destroy();
  };
  return agent;
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}
