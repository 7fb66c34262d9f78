import type { PackagesSpec } from '../../domain/cluster.js';
import type { FailureKind } from '../../domain/failure.js';
import { StepFailure } from '../failure.js';
import type { Command } from '../ports/remote-shell.js';

/** Never a question, never a service restarted behind our back, never a changed configuration file lost. */
const ENVIRONMENT = ['DEBIAN_FRONTEND=noninteractive', 'NEEDRESTART_SUSPEND=1', 'LC_ALL=C'];
const LOCK_WAIT = 'DPkg::Lock::Timeout=600';

/** How a repository template is found in apt's own files: any minor in place of `{minor}`, with or without the last slash. */
export function repositoryPattern(template: string): string {
  if (!template.includes('{minor}')) throw new StepFailure('ConfigInvalid', `packages.repository ${template} has no {minor}: one repository a minor is wanted.`);
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u0020|\u007f]/.test(template)) throw new StepFailure('ConfigInvalid', `packages.repository ${JSON.stringify(template)} has a character that no repository address has.`);
  return template.replace(/\/+$/, '').replace(/[.[\]()*+?^$\\]/g, '\\$&').replace('{minor}', '[0-9]+\\.[0-9]+');
}

export const repositoryOf = (template: string, minor: string): string => template.replace(/\/+$/, '').replace('{minor}', minor);

/** Sets `files` to apt's files that name the repository. $1: pattern. */
const FIND = `
find_files() {
  files=$(grep -lE "$1" /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null || true)
  if [ -z "$files" ]; then echo "drydock: no file in /etc/apt names a repository like $1" >&2; exit 90; fi
}
`;

/** Only the address changes: options such as signed-by and the components stay. What was there before is kept for a person to see. */
const SWITCH = `${FIND}
set -eu
find_files "$1"
mkdir -p -m 0700 /var/lib/drydock/repository-before
for file in $files; do
  cp -n "$file" /var/lib/drydock/repository-before/ || true
  sed -E "s|$1|$2|g" "$file" >"$file.drydock-new"
  chmod --reference="$file" "$file.drydock-new"
  mv "$file.drydock-new" "$file"
done
# Only the lists of this repository: another one that is down must not stop an upgrade.
for file in $files; do
  apt-get update -o "$3" -o Acquire::Retries=3 -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any \\
    -o "Dir::Etc::sourcelist=$file" -o Dir::Etc::sourceparts=/dev/null
done
`;

/** Points apt at the minor's repository and reads its lists. Safe to repeat. */
export function switchRepository(packages: PackagesSpec, minor: string): Command {
  return withEnvironment(packages, ['sh', '-c', SWITCH, 'drydock', repositoryPattern(packages.repository), repositoryOf(packages.repository, minor), LOCK_WAIT]);
}

const OPTIONS = ['-y', '--no-remove', '--allow-change-held-packages', '-o', LOCK_WAIT, '-o', 'Dpkg::Options::=--force-confdef', '-o', 'Dpkg::Options::=--force-confold'];

/**
 * Fetches packages into apt's cache and changes nothing else: the repository of the target is read through lists of its own, so that an upgrade that is given up
 * leaves the node's sources as they were.
 */
const DOWNLOAD = `${FIND}
set -eu
find_files "$1"
dir=$(mktemp -d /var/lib/drydock/lists.XXXXXX)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir -p "$dir/lists/partial" "$dir/sources"
for file in $files; do sed -E "s|$1|$2|g" "$file" >"$dir/sources/\${file##*/}"; done
shift 2
set -- -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$dir/sources" -o "Dir::State::Lists=$dir/lists" "$@"
apt-get update -o Acquire::Retries=3 -o APT::Update::Error-Mode=any -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$dir/sources" -o "Dir::State::Lists=$dir/lists"
apt-get install --download-only "$@"
`;

/** `packages` as `name=full-version`. */
export function download(packages: PackagesSpec, minor: string, names: readonly string[]): Command {
  return withEnvironment(packages, ['sh', '-c', DOWNLOAD, 'drydock', repositoryPattern(packages.repository), repositoryOf(packages.repository, minor), ...OPTIONS, ...names]);
}

/**
 * apt-get takes the hold off a package that it changes with --allow-change-held-packages (apt 2.6, seen), so the holds are noted on disk before and set again
 * after, also when the installation fails, and by the next attempt when this one is killed in between.
 */
const INSTALL = `
set -eu
note=/var/lib/drydock/held-packages
mkdir -p -m 0700 /var/lib/drydock
apt-mark showhold >>"$note"
hold() {
  for name in $(sort -u "$note"); do apt-mark hold "$name" || return 0; done
  rm -f "$note"
}
trap hold EXIT
# Waits for the lock. While another package run is at work, packages look half-configured, and dpkg itself would not wait.
apt-get check -qq -o ${LOCK_WAIT} || true
if [ -n "$(dpkg --audit)" ]; then
  echo "drydock: packages are half-configured, running dpkg --configure -a first"
  dpkg --configure -a --force-confdef --force-confold
fi
apt-get install "$@"
`;

/** Installs exact versions, `name=full-version`. A half-configured dpkg is repaired first; holds are kept. */
export function install(packages: PackagesSpec, names: readonly string[]): Command {
  return withEnvironment(packages, ['sh', '-c', INSTALL, 'drydock', ...OPTIONS, ...names]);
}

/** `env` rather than the shell's own assignments: it works the same through sudo and systemd-run. */
function withEnvironment(packages: PackagesSpec, command: readonly string[]): Command {
  const proxy = packages.proxy ? [`http_proxy=${packages.proxy}`, `https_proxy=${packages.proxy}`] : [];
  return { program: 'env', args: [...ENVIRONMENT, ...proxy, ...command], ...(packages.proxy ? { secrets: [packages.proxy] } : {}) };
}

/** What apt's last words say about the kind of failure; undefined: just a failed command. Only lines that say an error: while apt waits, it names the lock as well. */
export function failureKindOf(output: string): FailureKind | undefined {
  const errors = output.split('\n').filter((line) => /^(E:|dpkg: error:|drydock:)/.test(line)).join('\n');
  if (/Could not get lock|Unable to acquire the dpkg frontend lock|is another process using it|frontend lock (was|is) locked by another process/.test(errors)) return 'PackageLockHeld';
  if (/Unable to locate package|Version '[^']*' for '[^']*' was not found|no file in \/etc\/apt names a repository/.test(errors)) return 'PackageUnavailable';
  return undefined;
}
