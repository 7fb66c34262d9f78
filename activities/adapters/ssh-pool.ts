import type { BastionSpec, ClusterSpec, NodeSpec } from '../../domain/cluster.js';
import { SshConnection, type SshTarget } from './ssh-connection.js';

/** One connection per machine: callers that come together share the connect, and a lost one is opened anew by the next. */
export class SshPool {
  readonly #open = new Map<string, Promise<SshConnection>>();
  #closed = false;

  /** `fresh`: this call had to connect. */
  async connection(cluster: ClusterSpec, node: NodeSpec): Promise<{ connection: SshConnection; fresh: boolean }> {
    const bastion = cluster.ssh.bastion;
    return this.#get(targetOf(cluster, node), bastion && bastionTarget(cluster, bastion));
  }

  async close(): Promise<void> {
    this.#closed = true;
    const connections = await Promise.allSettled(this.#open.values());
    this.#open.clear();
    for (const settled of connections) if (settled.status === 'fulfilled') settled.value.end();
  }

  async #get(target: SshTarget, via?: SshTarget): Promise<{ connection: SshConnection; fresh: boolean }> {
    if (this.#closed) throw new Error('The SSH adapter is closed.');
    const key = JSON.stringify([target, via]);
    const opening = this.#open.get(key);
    if (opening) {
      const connection = await opening;
      if (!connection.closed) return { connection, fresh: false };
    }
    const current = this.#open.get(key);
    // Another caller may have reconnected while this one waited.
    if (current && current !== opening) return { connection: await current, fresh: true };
    return { connection: await this.#connect(key, target, via), fresh: true };
  }

  #connect(key: string, target: SshTarget, via?: SshTarget): Promise<SshConnection> {
    const forget = () => {
      if (this.#open.get(key) === opening) this.#open.delete(key);
    };
    const opening: Promise<SshConnection> = (async () => SshConnection.open(target, via && (await this.#get(via)).connection))();
    this.#open.set(key, opening);
    opening.then((connection) => connection.onClose(forget), forget);
    return opening;
  }
}

function targetOf(cluster: ClusterSpec, node: NodeSpec): SshTarget {
  const { ssh } = cluster;
  return {
    name: node.name,
    host: node.host,
    port: node.port ?? ssh.port,
    user: node.user ?? ssh.user,
    ...(ssh.identity === undefined ? {} : { identity: ssh.identity }),
    ...timing(cluster),
  };
}

function bastionTarget(cluster: ClusterSpec, bastion: BastionSpec): SshTarget {
  const identity = bastion.identity ?? cluster.ssh.identity;
  return { name: 'the bastion', host: bastion.host, port: bastion.port, user: bastion.user, ...(identity === undefined ? {} : { identity }), ...timing(cluster) };
}

function timing({ ssh }: ClusterSpec) {
  return {
    agent: ssh.agent,
    knownHosts: ssh.knownHosts,
    connectTimeoutMs: ssh.connectTimeoutSeconds * 1000,
    keepAliveMs: ssh.keepAliveSeconds * 1000,
  };
}
