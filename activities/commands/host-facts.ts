import type { Command } from '../ports/remote-shell.js';

/**
 * One read of a node: sections that begin with a line `== name`. Nothing is changed; the lists of the target's repository are read into a folder that is
 * thrown away. $1: pattern of the repository, $2: the target minor's repository, or empty, $3: wanted version, or empty.
 */
const SCRIPT = `
say() { printf '== %s\\n' "$1"; }
say boot-id; cat /proc/sys/kernel/random/boot_id
say clock; date +%s%N
say machine-id; cat /etc/machine-id
say os; ( . /etc/os-release; printf '%s %s\\n' "$ID" "$VERSION_ID" )
say package-manager; if command -v apt-get >/dev/null 2>&1; then echo apt; else echo other; fi
say kernel; uname -r
say cgroup; stat -fc %T /sys/fs/cgroup
say kubeadm; kubeadm version -o short 2>/dev/null
say kubelet; kubelet --version 2>/dev/null
say installed; dpkg-query -W -f '\${Package} \${Version} \${db:Status-Status}\\n' kubeadm kubelet kubectl 2>/dev/null
say held; apt-mark showhold 2>/dev/null
say audit; dpkg --audit 2>/dev/null
say repositories; grep -HE "$1" /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null | grep -vE ':[[:space:]]*#'
say keys
for key in $(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null | grep -E "$1|[Ss]igned-[Bb]y" | grep -oE '[Ss]igned-[Bb]y[=:] *[^] ]+' | sed -E 's/^[^=:]*[=:] *//' | sort -u); do
  gpg --batch --show-keys --with-colons "$key" 2>/dev/null | awk -F: -v f="$key" '$1=="pub"{print f, ($7==""?"never":$7)}'
done
say free; for path in / /var/lib/etcd /var/lib/kubelet /var/cache/apt; do [ -d "$path" ] && printf '%s %s\\n' "$path" "$(df --output=avail -B1 "$path" | tail -n 1)"; done
say etcd-bytes; du -sb /var/lib/etcd/member 2>/dev/null | cut -f1
say certificates; if [ -e /etc/kubernetes/manifests/kube-apiserver.yaml ]; then kubeadm certs check-expiration -o json 2>/dev/null || echo unknown; else echo none; fi
say manifests; ls /etc/kubernetes/manifests 2>/dev/null
say kubelet-flags; cat /var/lib/kubelet/kubeadm-flags.env /etc/default/kubelet 2>/dev/null
say fail-cgroup-v1; sed -n 's/^failCgroupV1: *//p' /var/lib/kubelet/config.yaml 2>/dev/null
say lock; for file in /var/lib/dpkg/lock-frontend /var/lib/apt/lists/lock; do if [ -e "$file" ] && command -v fuser >/dev/null 2>&1 && fuser "$file" >/dev/null 2>&1; then echo "$file"; fi; done; pgrep -ax 'apt-get|dpkg|unattended-upgr' 2>/dev/null
say reboot-required; [ -e /var/run/reboot-required ] && echo yes
say clock-end; date +%s%N
say candidates
if [ -n "$2" ] && command -v apt-get >/dev/null 2>&1; then
  dir=$(mktemp -d /tmp/drydock-facts.XXXXXX); trap 'rm -rf "$dir"' EXIT
  mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
  for file in $(grep -lE "$1" /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null); do
    sed -E "s|$1|$2|g" "$file" >"$dir/target.\${file##*.}"
    set -- "$1" "$2" "$3" -o "Dir::Etc::sourcelist=$dir/target.\${file##*.}" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir/cache"
  done
  if [ $# -le 3 ]; then echo 'error no file in /etc/apt names the configured repository'; exit 0; fi
  pattern=$1 target=$2; shift 3
  # Readable for apt's own user, which fetches.
  chmod -R a+rX "$dir"; chown -R _apt "$dir/lists/partial" 2>/dev/null
  if ! out=$(apt-get update -q -o APT::Update::Error-Mode=any "$@" 2>&1); then printf 'error %s: %s\\n' "$target" "$(printf '%s' "$out" | grep -E '^(E|W|Err)' | tail -n 2 | tr '\\n' ' ')"; exit 0; fi
  apt-cache madison "$@" kubeadm kubelet kubectl | awk -F'|' '{gsub(/ /,"",$1); gsub(/ /,"",$2); print $1, $2}'
fi
`;

export function hostFactsCommand(pattern: string, targetRepository: string, version: string): Command {
  return { program: 'sh', args: ['-c', SCRIPT, 'drydock', pattern, targetRepository, version] };
}
