/** Runs `act` and gives what it wrote to standard output and standard error. The test's own report is printed between, so nothing else is lost. */
export async function captured<T>(act: () => T | Promise<T>): Promise<{ value: T; stdout: string; stderr: string }> {
  const kept = { stdout: '', stderr: '' };
  const real = { stdout: process.stdout.write.bind(process.stdout), stderr: process.stderr.write.bind(process.stderr) };
  const into = (name: 'stdout' | 'stderr') =>
    ((chunk: string | Uint8Array): boolean => {
      kept[name] += String(chunk);
      return true;
    }) as typeof process.stdout.write;
  process.stdout.write = into('stdout');
  process.stderr.write = into('stderr');
  try {
    const value = await act();
    return { value, ...kept };
  } finally {
    process.stdout.write = real.stdout;
    process.stderr.write = real.stderr;
  }
}
