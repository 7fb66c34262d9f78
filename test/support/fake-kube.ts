import assert from 'node:assert/strict';
import { StepFailure } from '../../activities/failure.js';
import { type KubeApi, type KubeRequest, KubeStatusError, type WatchEvent } from '../../activities/ports/kube-api.js';
import type { ClusterSpec } from '../../domain/cluster.js';

interface Meta {
  metadata?: { uid?: string; name?: string; namespace?: string; labels?: Record<string, string>; resourceVersion?: string };
  spec?: object;
}

type Answer = object | string | Error | ((request: KubeRequest) => unknown);

interface Watcher {
  readonly query: Readonly<Record<string, string>>;
  readonly tell: (event: WatchEvent<Meta>) => void;
  readonly end: (how: 'closed' | 'expired') => void;
}

/** Objects under one path, with versions, so that a watch gets exactly what happened after its list. */
export class Collection<T extends Meta> {
  private readonly objects = new Map<string, T>();
  private readonly log: { version: number; event: WatchEvent<T> }[] = [];
  private readonly watchers = new Set<Watcher>();
  private version = 100;
  lists = 0;

  constructor(items: readonly T[]) {
    for (const item of items) this.objects.set(keyOf(item), item);
  }

  /** Adds it, or replaces the one with the same uid. */
  put(item: T): void {
    const type = this.objects.has(keyOf(item)) ? 'MODIFIED' : 'ADDED';
    this.objects.set(keyOf(item), item);
    this.happened({ type, object: item });
  }

  remove(uid: string): void {
    const object = this.objects.get(uid);
    if (!object) return;
    this.objects.delete(uid);
    this.happened({ type: 'DELETED', object });
  }

  get(uid: string): T | undefined {
    return this.objects.get(uid);
  }

  /** Ends the open watches as the server does now and then. */
  endWatches(how: 'closed' | 'expired'): void {
    for (const watcher of [...this.watchers]) watcher.end(how);
  }

  get watching(): number {
    return this.watchers.size;
  }

  list(query: Readonly<Record<string, string>>): { items: T[]; metadata: { resourceVersion: string; continue?: string } } {
    this.lists++;
    const all = [...this.objects.values()].filter((item) => matches(item, query));
    const from = Number(query['continue'] ?? 0);
    const limit = Number(query['limit'] ?? all.length);
    const more = from + limit < all.length;
    return { items: all.slice(from, from + limit), metadata: { resourceVersion: String(this.version), ...(more ? { continue: String(from + limit) } : {}) } };
  }

  watch(query: Readonly<Record<string, string>>, onEvent: (event: WatchEvent<T>) => void, signal: AbortSignal): Promise<'closed' | 'expired' | 'aborted'> {
    for (const { version, event } of this.log) if (version > Number(query['resourceVersion']) && matches(event.object, query)) onEvent(event);
    return new Promise((resolve) => {
      const watcher: Watcher = { query, tell: onEvent as (event: WatchEvent<Meta>) => void, end: (how) => leave(how) };
      const leave = (how: 'closed' | 'expired' | 'aborted'): void => {
        this.watchers.delete(watcher);
        resolve(how);
      };
      this.watchers.add(watcher);
      if (signal.aborted) leave('aborted');
      else signal.addEventListener('abort', () => leave('aborted'), { once: true });
    });
  }

  private happened(event: WatchEvent<T>): void {
    this.log.push({ version: ++this.version, event });
    for (const { query, tell } of [...this.watchers]) if (matches(event.object, query)) tell(event);
  }
}

/**
 * An API server that knows the collections and answers that a test gave it, and nothing else. Any other request fails, and `finish` fails once more for
 * requests whose error somebody swallowed, and for answers that nobody asked for.
 */
export class FakeKube implements KubeApi {
  readonly requests: (KubeRequest & { at: number })[] = [];
  private readonly collections = new Map<string, Collection<never>>();
  private readonly rules: { method: string; path: string; answers: readonly Answer[]; used: number }[] = [];
  private readonly unscripted: string[] = [];
  private awayWhy: string | undefined;

  collection<T extends Meta>(path: string, items: readonly T[] = []): Collection<T> {
    const collection = new Collection<T>(items);
    this.collections.set(path, collection as unknown as Collection<never>);
    return collection;
  }

  /** Several answers are given in turn, the last one again and again. */
  on(method: KubeRequest['method'], path: string, ...answers: Answer[]): this {
    this.rules.unshift({ method, path, answers, used: 0 });
    return this;
  }

  /** The server goes away: requests are refused, watches end. */
  away(why = 'connect ECONNREFUSED'): void {
    this.awayWhy = why;
    for (const collection of this.collections.values()) collection.endWatches('closed');
  }

  back(): void {
    this.awayWhy = undefined;
  }

  sent(method: KubeRequest['method'], path?: string): (KubeRequest & { at: number })[] {
    return this.requests.filter((request) => request.method === method && (path === undefined || request.path === path));
  }

  finish(): void {
    assert.deepEqual(this.unscripted, [], 'requests that nobody scripted');
    const unused = this.rules.filter((rule) => rule.used === 0).map((rule) => `${rule.method} ${rule.path}`);
    assert.deepEqual(unused, [], 'answers that nobody asked for');
  }

  async request<T>(_cluster: ClusterSpec, request: KubeRequest): Promise<T> {
    request.signal?.throwIfAborted();
    this.requests.push({ ...request, at: Date.now() });
    await new Promise((resolve) => setImmediate(resolve));
    if (this.awayWhy !== undefined) throw new StepFailure('ApiUnreachable', this.awayWhy);
    const rule = this.rules.find((candidate) => candidate.method === request.method && candidate.path === request.path);
    if (rule) {
      const answer = rule.answers[Math.min(rule.used++, rule.answers.length - 1)];
      const value: unknown = typeof answer === 'function' ? await (answer as (request: KubeRequest) => unknown)(request) : answer;
      if (value instanceof Error) throw value;
      return structuredClone(value) as T;
    }
    const collection = request.method === 'GET' ? this.collections.get(request.path) : undefined;
    if (collection) return structuredClone(collection.list(request.query ?? {})) as T;
    return this.strange(`${request.method} ${request.path}`);
  }

  async watch<T>(_cluster: ClusterSpec, path: string, query: Readonly<Record<string, string>>, onEvent: (event: WatchEvent<T>) => void, signal: AbortSignal): Promise<'closed' | 'expired' | 'aborted'> {
    if (this.awayWhy !== undefined) throw new StepFailure('ApiUnreachable', this.awayWhy);
    const collection = this.collections.get(path);
    if (!collection) return this.strange(`WATCH ${path}`);
    return collection.watch(query, onEvent, signal);
  }

  private strange(what: string): never {
    this.unscripted.push(what);
    throw new Error(`nobody scripted ${what}`);
  }
}

/** An answer other than 2xx, as the API server words it. */
export const status = (code: number, reason: string, message: string, causes: readonly { reason: string; message: string }[] = [], retryAfterSeconds?: number): KubeStatusError =>
  new KubeStatusError(code, reason, message, causes, retryAfterSeconds);

const keyOf = (item: Meta): string => item.metadata?.uid ?? item.metadata?.name ?? '';

/** Only the selectors that drydock uses; any other is a mistake of the caller. */
function matches(item: Meta, query: Readonly<Record<string, string>>): boolean {
  const spec = (item.spec ?? {}) as Record<string, unknown>;
  const checks = [...(query['fieldSelector']?.split(',') ?? []).map((part) => ['field', part] as const), ...(query['labelSelector']?.split(',') ?? []).map((part) => ['label', part] as const)];
  return checks.every(([kind, part]) => {
    const [key = '', wanted] = part.split('=');
    if (kind === 'label') return item.metadata?.labels?.[key] === wanted;
    if (key === 'spec.nodeName') return spec['nodeName'] === wanted;
    if (key === 'metadata.name') return item.metadata?.name === wanted;
    throw new Error(`the fake knows no selector ${part}`);
  });
}
