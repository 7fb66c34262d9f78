/** Receives one finished line for each thing the lab begins or ends. */
export type OnProgress = (line: string) => void;

export interface Progress {
  /** Says one line. */
  say(text: string): void;
  /** Says that `title` begins, runs it, and says how long it took. */
  step<T>(title: string, work: () => Promise<T>): Promise<T>;
}

const seconds = (from: number): string => ((Date.now() - from) / 1000).toFixed(1);

/** Progress whose lines carry the seconds since it was made. */
export function createProgress(onLine: OnProgress = () => undefined): Progress {
  const began = Date.now();
  const say = (text: string): void => onLine(`[${seconds(began).padStart(6)} s] ${text}`);
  return {
    say,
    async step(title, work) {
      const from = Date.now();
      say(title);
      const result = await work();
      say(`${title}: done in ${seconds(from)} s`);
      return result;
    },
  };
}
