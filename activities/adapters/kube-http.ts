import * as https from 'node:https';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import type { KubeConfig } from '@kubernetes/client-node';
import { StepFailure } from '../failure.js';
import { KubeStatusError, type KubeRequest, type WatchEvent } from '../ports/kube-api.js';

/** A watch that says nothing for this long is taken for dead: bookmarks come about once a minute. */
const WATCH_SILENCE_MS = 90_000;
const CONNECT_MS = 5_000;

/**
 * HTTP to one API server, with the credentials of a kubeconfig. The library's own Watch has no deadline for the connection and none for silence,
 * and an API server that restarts under us is the normal case here, so requests are made directly.
 */
export class KubeHttp {
  private readonly agent = new https.Agent({ keepAlive: true, maxSockets: 32, timeout: 60_000 });
  private readonly base: URL;

  constructor(private readonly config: KubeConfig) {
    const server = config.getCurrentCluster()?.server;
    if (!server) throw new StepFailure('KubeconfigInvalid', 'The kubeconfig names no current cluster.');
    this.base = new URL(server);
  }

  close(): void {
    this.agent.destroy();
  }

  async request<T>(request: KubeRequest): Promise<T> {
    const signal = deadline(request.timeoutMs ?? 15_000, request.signal);
    const response = await this.open(request, signal);
    const text = await readAll(response, signal);
    if (!isSuccess(response)) throw statusError(response, text);
    const json = (response.headers['content-type'] ?? '').includes('json');
    return (json ? JSON.parse(text) : text) as T;
  }

  async watch<T>(path: string, query: Readonly<Record<string, string>>, onEvent: (event: WatchEvent<T>) => void, signal: AbortSignal): Promise<'closed' | 'expired' | 'aborted'> {
    const abort = new AbortController();
    const stop = (): void => abort.abort();
    signal.addEventListener('abort', stop, { once: true });
    let silence = setTimeout(stop, WATCH_SILENCE_MS);
    try {
      if (signal.aborted) return 'aborted';
      const watchQuery = { ...query, watch: 'true', allowWatchBookmarks: 'true', timeoutSeconds: '300' };
      const response = await this.open({ method: 'GET', path, query: watchQuery }, abort.signal);
      if (response.statusCode === 410) return 'expired';
      if (!isSuccess(response)) throw statusError(response, await readAll(response, abort.signal));
      for await (const line of createInterface({ input: response, crlfDelay: Infinity })) {
        clearTimeout(silence);
        silence = setTimeout(stop, WATCH_SILENCE_MS);
        const event = JSON.parse(line) as { type: string; object: T & { code?: number } };
        if (event.type === 'ERROR') {
          if (event.object.code === 410) return 'expired';
          throw errorOf(event.object.code ?? 500, event.object as StatusBody);
        }
        if (event.type !== 'BOOKMARK') onEvent(event as WatchEvent<T>);
      }
      return signal.aborted ? 'aborted' : 'closed';
    } catch (error) {
      if (signal.aborted) return 'aborted';
      if (abort.signal.aborted) return 'closed';
      throw transportFailure(error, this.base.host);
    } finally {
      clearTimeout(silence);
      signal.removeEventListener('abort', stop);
      abort.abort();
    }
  }

  private async open(request: KubeRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const url = new URL(this.base.pathname.replace(/\/$/, '') + request.path, this.base);
    for (const [key, value] of Object.entries(request.query ?? {})) url.searchParams.set(key, value);
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const options: https.RequestOptions = {
      method: request.method,
      agent: this.agent,
      signal,
      headers: {
        accept: 'application/json, text/plain',
        'user-agent': 'drydock',
        ...(body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json', 'content-length': Buffer.byteLength(body) }),
      },
    };
    try {
      await this.config.applyToHTTPSOptions(options);
      // The library puts an agent of its own here; ours keeps connections and is closed with us.
      const { ca, cert, key, passphrase, rejectUnauthorized, servername } = { ...agentOptions(options.agent), ...options } as https.AgentOptions;
      const tls: https.RequestOptions = Object.fromEntries(
        Object.entries({ ca, cert, key, passphrase, rejectUnauthorized }).filter(([, value]) => value !== undefined),
      );
      // Through a tunnel the certificate is still checked for the server's own name; an address may not be sent as a server name (RFC 6066).
      if (servername) tls.checkServerIdentity = (_host, certificate) => checkServerIdentity(servername, certificate);
      if (servername && !isIP(servername)) tls.servername = servername;
      delete (options as https.AgentOptions).servername;
      return await new Promise<IncomingMessage>((resolve, reject) => {
        const outgoing = https.request(url, { ...options, ...tls, agent: this.agent }, resolve);
        outgoing.once('socket', (socket) => {
          if (!socket.connecting) return;
          const slow = setTimeout(() => outgoing.destroy(new Error(`no connection within ${CONNECT_MS / 1000} s`)), CONNECT_MS);
          socket.once('secureConnect', () => clearTimeout(slow));
          socket.once('close', () => clearTimeout(slow));
        });
        outgoing.once('error', reject);
        outgoing.end(body);
      });
    } catch (error) {
      throw transportFailure(error, this.base.host);
    }
  }
}

function agentOptions(agent: https.RequestOptions['agent']): https.AgentOptions {
  return typeof agent === 'object' ? (agent as https.Agent).options : {};
}

const isSuccess = (response: IncomingMessage): boolean => (response.statusCode ?? 0) >= 200 && (response.statusCode ?? 0) < 300;

function deadline(milliseconds: number, signal?: AbortSignal): AbortSignal {
  const timeout = AbortSignal.timeout(milliseconds);
  return signal ? AbortSignal.any([timeout, signal]) : timeout;
}

async function readAll(response: IncomingMessage, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer);
  } catch (error) {
    throw transportFailure(error, 'the API server');
  }
  // A deadline may close the socket quietly; half an answer must not pass for a whole one.
  if (signal.aborted || !response.complete) throw new StepFailure('ApiUnreachable', 'The API server did not finish its answer.');
  return Buffer.concat(chunks).toString('utf8');
}

interface StatusBody {
  reason?: string;
  message?: string;
  details?: { causes?: { reason?: string; message?: string }[]; retryAfterSeconds?: number };
}

function statusError(response: IncomingMessage, text: string): KubeStatusError {
  let body: StatusBody;
  try {
    body = JSON.parse(text) as StatusBody;
  } catch {
    body = { message: text.slice(0, 300) };
  }
  return errorOf(response.statusCode ?? 0, body, response.headers['retry-after']);
}

function errorOf(code: number, body: StatusBody, header?: string): KubeStatusError {
  const causes = (body.details?.causes ?? []).map((cause) => ({ reason: cause.reason ?? '', message: cause.message ?? '' }));
  const retryAfter = Number(header ?? body.details?.retryAfterSeconds);
  return new KubeStatusError(code, body.reason ?? '', body.message ?? `HTTP ${code}`, causes, Number.isFinite(retryAfter) ? retryAfter : undefined);
}

/** Everything below HTTP is "cannot be reached" and may be tried again, except a certificate that will never be right. */
function transportFailure(error: unknown, where: string): StepFailure | KubeStatusError {
  if (error instanceof StepFailure || error instanceof KubeStatusError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code && /^(CERT_|ERR_TLS_CERT|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/.test(code)) {
    return new StepFailure('WrongCluster', `The certificate of the API server at ${where} does not fit the kubeconfig: ${message}`, undefined, { cause: error });
  }
  return new StepFailure('ApiUnreachable', `The API server at ${where} does not answer: ${message || code || 'connection failed'}`, undefined, { cause: error });
}
