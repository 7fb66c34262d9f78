/** Texts for people, without Intl and without the present time: workflow code shows them, and a replay must show the same. */

/** Length in UTF-8, which is what Temporal's limits count. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/** At most so many characters, the last one an ellipsis when something was cut. Never cuts a character in two. */
export function cut(text: string, most: number): string {
  const characters = [...text];
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`;
}

/** At most so many bytes of UTF-8. */
export function cutBytes(text: string, most: number): string {
  if (utf8Length(text) <= most) return text;
  let kept = '';
  let bytes = utf8Length('…');
  for (const character of text) {
    bytes += utf8Length(character);
    if (bytes > most) break;
    kept += character;
  }
  return `${kept}…`;
}

/** `12:03:44` of an ISO time, UTC. */
export const clock = (iso: string | null): string => (iso === null ? '' : iso.slice(11, 19));

/** One line: what comes from nodes may hold line ends and control characters. */
export const oneLine = (text: string): string =>
  // eslint-disable-next-line no-control-regex
  text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
