/** The script's answer by section. Undefined when it is not whole: the last section is missing. */
export function sectionsOf(output: string): ReadonlyMap<string, string> | undefined {
  const sections = new Map<string, string>();
  const parts = output.split(/^==drydock ([a-z-]+)==\n/m);
  for (let i = 1; i < parts.length; i += 2) sections.set(parts[i] ?? '', (parts[i + 1] ?? '').trim());
  return sections.has('end') ? sections : undefined;
}

export const linesOf = (text: string | undefined): string[] => (text ?? '').split('\n').map((line) => line.trimEnd()).filter((line) => line !== '');
