/**
 * Control characters of what comes from a node or the API, shown as `?`: a remote text must not move the operator's cursor or colours.
 * Line ends stay when asked for.
 */
export function plain(text: string, keepLines = false): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(keepLines ? /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g : /[\u0000-\u001f\u007f-\u009f]/g, '?');
}

/** The same for every text in a value; line ends stay in what is shown over several lines. */
export function neutral<T>(value: T, key = ''): T {
  if (typeof value === 'string') return plain(value, key === 'message' || key === 'output') as T;
  if (Array.isArray(value)) return value.map((item: unknown) => neutral(item, key)) as T;
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([name, item]) => [plain(name), neutral(item as unknown, name)])) as T;
  return value;
}
