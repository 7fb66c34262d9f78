import { type Answer, type CandidateFacts, known, type RepositoryFacts, unknown } from '../../domain/facts.js';
import { linesOf } from './sections.js';

/** What the target minor's repository offers this node. `version`: what was asked for, a minor when no patch was. */
export function candidatesOf(section: string | undefined, version: string | undefined, repository: string, found: readonly RepositoryFacts[]): Answer<CandidateFacts> {
  if (version === undefined) return unknown('no target version was asked about');
  const [outcome, ...rows] = linesOf(section);
  switch (outcome) {
    case 'offers':
      return known({ version, kubeadm: offersOf(rows, 'kubeadm'), kubelet: offersOf(rows, 'kubelet'), kubectl: offersOf(rows, 'kubectl') });
    case 'failed':
      return unknown(`the package lists of ${repository} cannot be read: ${reasonOf(rows)}`);
    case 'none':
      return unknown(`no file below /etc/apt names ${repository} (packages.repository); found: ${found.map((each) => `${each.file}: ${each.line}`).join('; ') || 'none'}`);
    default:
      return unknown('the node has no apt');
  }
}

/** `kubeadm | 1.37.2-1.1 | http://host/v1.37 ./ Packages`: newest first already; a version in several lists is one. */
function offersOf(rows: readonly string[], name: string): string[] {
  const versions = rows.flatMap((row) => {
    const [of, version] = row.split('|').map((part) => part.trim());
    return of === name && version ? [version] : [];
  });
  return [...new Set(versions)];
}

/** apt marks its errors with E: and what went wrong with which address with Err:. */
function reasonOf(rows: readonly string[]): string {
  const errors = rows.filter((row) => /^E:/.test(row));
  return (errors.length > 0 ? errors : rows).slice(0, 3).map((row) => row.replace(/^E:\s*/, '')).join(' ').slice(0, 500);
}
