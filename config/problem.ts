/** What is wrong with a configuration file, one entry per mistake. */
export interface Problem {
  readonly file: string;
  /** From 1; absent when the file itself cannot be read. */
  readonly line?: number;
  readonly column?: number;
  /** `nodes[1].role`; empty for the whole file. */
  readonly path: string;
  readonly found: string;
  readonly wanted: string;
}

export const problemText = (p: Problem): string => {
  const place = p.line === undefined ? p.file : `${p.file}:${p.line}:${p.column ?? 1}`;
  return `${place}: ${p.path === '' ? '' : `${p.path}: `}found ${p.found}, wanted ${p.wanted}`;
};

/** Thrown by loadConfig: all problems at once. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map(problemText).join('\n'));
    this.name = 'ConfigError';
  }
}

export type Path = readonly (string | number)[];

/** `nodes[1].role` */
export const pathText = (path: Path): string =>
  path.reduce<string>((text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? key : `${text}.${key}`), '');

/** A value as it is shown in an error: short, and never a whole section. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a section';
  // An address may hold a password.
  const text = JSON.stringify(value).replace(/(\/\/)[^\s"]*@/g, '$1…@');
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
}
