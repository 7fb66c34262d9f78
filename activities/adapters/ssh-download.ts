import { createHash, randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ClientChannel } from 'ssh2';
import { StepFailure } from '../failure.js';
import { Capture, type Ending } from './ssh-channel.js';
import type { SshTarget } from './ssh-connection.js';
import { connectionLost } from './ssh-errors.js';

/** A running `cat` of a file whose size was asked before. */
export interface RemoteFile {
  readonly channel: ClientChannel;
  readonly ended: Promise<Ending>;
  readonly target: SshTarget;
  readonly path: string;
  readonly bytes: number;
}

/**
 * Writes what the channel sends to `localPath`: beside it first, synced, then renamed, so that the name only ever holds a
 * whole file. Throws ConnectionLost, CommandFailed (cat failed, or another size than before) or BackupFolder (local trouble).
 */
export async function downloadFile(from: RemoteFile, localPath: string): Promise<{ bytes: number; sha256: string }> {
  const part = `${localPath}.${randomUUID().slice(0, 8)}.part`;
  try {
    const received = await receive(from, part);
    await rename(part, localPath).catch(localTrouble(localPath));
    await syncDirectory(dirname(localPath));
    return received;
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

async function receive({ channel, ended, target, path, bytes }: RemoteFile, part: string): Promise<{ bytes: number; sha256: string }> {
  const stderr = new Capture(4096);
  channel.stderr.on('data', (chunk: Buffer) => stderr.add(chunk));
  const file = await open(part, 'wx', 0o600).catch((error: unknown) => {
    channel.close();
    return localTrouble(part)(error);
  });
  const hash = createHash('sha256');
  let received = 0;
  try {
    channel.end();
    // On a lost connection ssh2 may end the stream as if all were well: the ending below says how it was.
    for await (const chunk of channel as AsyncIterable<Buffer>) {
      hash.update(chunk);
      received += chunk.length;
      await file.writeFile(chunk).catch((error: unknown) => {
        channel.close();
        return localTrouble(part)(error);
      });
    }
    const end = await ended;
    if (end === 'lost') throw connectionLost(target, `while ${path} was read`);
    if (end.exitCode !== 0) throw new StepFailure('CommandFailed', `${target.name}: ${path} cannot be read: ${stderr.text().trim()}.`);
    if (received !== bytes) throw new StepFailure('CommandFailed', `${target.name}: ${path} had ${bytes} bytes, but ${received} arrived: it changed while it was read.`);
    await file.sync().catch(localTrouble(part));
    return { bytes, sha256: hash.digest('hex') };
  } finally {
    await file.close();
  }
}

const localTrouble = (path: string) => (error: unknown): never => {
  const why = error instanceof Error ? error.message : String(error);
  throw new StepFailure('BackupFolder', `${path} cannot be written: ${why}.`, undefined, { cause: error });
};

/** A rename is only on disk when its directory is. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
