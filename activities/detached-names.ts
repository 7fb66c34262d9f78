import { createHash } from 'node:crypto';

/** Where the records of all runs lie on a node. */
export const RECORDS = '/var/lib/drydock';

export interface DetachedNames {
  /** systemd unit, `drydock-01980a2b-kubeadm-apply-1_3fa9c1d2.service`. */
  readonly unit: string;
  /** Record directory of this attempt. */
  readonly dir: string;
}

/**
 * Names of one attempt of one step of one run. Different inputs never give the same name: where anything had to be
 * replaced or cut, a hash over the inputs is added behind an underscore, which no other part of a name can hold.
 */
export function detachedNames(run: string, step: string, attempt: number): DetachedNames {
  const hash = `_${shortHash(JSON.stringify([run, step, attempt]))}`;
  const [run8, unitStep] = [safe(run).slice(0, 8), safe(step).slice(0, 100)];
  // A dash in the run would leave open where the step begins. Run ids are UUIDs that share their first digits for a minute.
  const exact = run8 === run && !run.includes('-') && unitStep === step;
  return {
    unit: `drydock-${run8}-${unitStep}-${attempt}${exact ? '' : hash}.service`,
    dir: `${RECORDS}/${fileName(run)}/${fileName(step)}${attempt === 1 ? '' : `.${attempt}`}`,
  };
}

/** The run's directory name below RECORDS. */
export function fileName(text: string): string {
  const name = safe(text).slice(0, 100);
  return name === text ? name : `${name}_${shortHash(text)}`;
}

/** Letters, digits and dashes; never empty, never `.` or `..`. */
const safe = (text: string): string => text.replace(/[^A-Za-z0-9-]+/g, '-') || '-';

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8);
