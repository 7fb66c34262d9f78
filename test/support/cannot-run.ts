const KEY = Symbol.for('drydock.cannotRun');

/**
 * Skips the suite of this hook; the reporter says at the end which group and why. Where everything is meant to run (DRYDOCK_TESTS=all, as in CI), it fails
 * instead: a missing program must not look like a green run.
 */
export function cannotRun(context: Mocha.Context, group: string, why: string): never {
  if (process.env['DRYDOCK_TESTS'] === 'all') throw new Error(`${group} cannot run: ${why}`);
  const all = globalThis as { [KEY]?: Map<string, string> };
  (all[KEY] ??= new Map<string, string>()).set(group, why);
  return context.skip();
}
