import { readFile } from 'node:fs/promises';
import type { AnyAuthMethod } from 'ssh2';
import ssh2 from 'ssh2';
import { StepFailure } from '../failure.js';
import type { SshTarget } from './ssh-connection.js';

/** The ways to prove who we are, in order: the key file, then the agent. Throws SshKeyUnreadable. */
export async function authMethods(target: SshTarget): Promise<AnyAuthMethod[]> {
  const methods: AnyAuthMethod[] = [];
  if (target.identity !== undefined) {
    methods.push({ type: 'publickey', username: target.user, key: await readPrivateKey(target.identity) });
  }
  if (target.agent) {
    const socket = process.env['SSH_AUTH_SOCK'];
    if (socket) methods.push({ type: 'agent', username: target.user, agent: socket });
    else if (methods.length === 0) throw new StepFailure('SshKeyUnreadable', 'ssh.agent is set, but SSH_AUTH_SOCK is not: the worker reaches no SSH agent.');
  }
  if (methods.length === 0) throw new StepFailure('SshKeyUnreadable', 'Neither ssh.identity nor ssh.agent is set: there is no key to log in with.');
  return methods;
}

async function readPrivateKey(file: string): Promise<Buffer> {
  const content = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new StepFailure('SshKeyUnreadable', `The private key ${file} cannot be read: ${reasonOf(error)}.`, undefined, { cause: error });
  });
  const parsed = ssh2.utils.parseKey(content);
  const key: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error) throw new StepFailure('SshKeyUnreadable', unusable(file, content.toString('latin1'), key.message));
  if (!(parsed instanceof Error) && !parsed.isPrivateKey()) {
    throw new StepFailure('SshKeyUnreadable', `${file} holds a public key. ssh.identity must name the private one.`);
  }
  return content;
}

function unusable(file: string, content: string, why: string): string {
  if (/encrypted|passphrase/i.test(why)) return `The private key ${file} is protected by a passphrase.`;
  if (!content.includes('PRIVATE KEY')) return `${file} is not a private key in OpenSSH or PEM form.`;
  return `The private key ${file} cannot be used: ${why}.`;
}

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'it does not exist';
  if (error.code === 'EACCES') return 'no permission';
  return error.message;
}
