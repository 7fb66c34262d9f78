import type { ClientChannel } from 'ssh2';

/** How a remote program ended; `lost` when the channel closed without telling. */
export type Ending = { readonly exitCode: number | null; readonly signal: string | null } | 'lost';

/** What one stream said, up to a limit. What comes after is read and thrown away, so that the program never blocks on us. */
export class Capture {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  truncated = false;

  constructor(private readonly limit: number) {}

  add(chunk: Buffer): void {
    const room = this.limit - this.#bytes;
    if (chunk.length > room) this.truncated = true;
    if (room <= 0) return;
    this.#chunks.push(chunk.subarray(0, room));
    this.#bytes += Math.min(chunk.length, room);
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

/** Resolves when the channel is closed. Only an exit status or a signal counts as an end: a closed channel alone may be a lost connection. */
export function ending(channel: ClientChannel): Promise<Ending> {
  return new Promise((resolve) => {
    let end: Ending = 'lost';
    channel.on('exit', (code: number | null, signal?: string) => (end = { exitCode: code, signal: signal ?? null }));
    channel.on('error', () => {}); // a write to a closed channel; `close` follows and tells the truth
    channel.once('close', () => resolve(end));
  });
}

/**
 * Closes the channel and nothing more. No signal is sent: what runs there may be half-way through something. sshd keeps the
 * session until the program ends; our slot is free at once, else a few hanging commands would block all others.
 */
export function abandon(channel: ClientChannel, release: () => void): void {
  channel.on('error', () => {});
  channel.stderr.resume();
  channel.resume();
  channel.close();
  release();
}
