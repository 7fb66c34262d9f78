/** Durations as people write them: `15m`, `90s`, `1h30m`, or a number of seconds. */

const UNITS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };
/** One number and unit or several, largest first: `1h30m`. Also the pattern in the JSON Schema. */
export const DURATION = /^(?=\d)(\d+h)?(\d+m)?(\d+s)?$/;

/** Seconds; undefined for text that is no duration. */
export function parseDuration(value: string | number): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined;
  if (!DURATION.test(value)) return undefined;
  return [...value.matchAll(/(\d+)([hms])/g)].reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit ?? ''] ?? 0), 0);
}
