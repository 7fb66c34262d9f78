/**
 * Everything that one node tells of itself, read in one go. $1: pattern of the repository's address in apt's files, empty
 * when unknown; $2: the address with the target minor, empty when no candidates are asked for. Changes nothing: apt works
 * on a private folder, gpg has a home of its own, both are gone afterwards.
 *
 * Each answer stands in a section; one that cannot be had is empty, and the parser decides what that means.
 */
export const HOST_SCRIPT = `pattern=$1 wanted=$2
umask 077
t=$(mktemp -d) || exit
trap 'rm -rf "$t"' EXIT
trap 'exit 1' HUP INT TERM PIPE
section() { printf '\\n==drydock %s==\\n' "$1"; }
has() { command -v "$1" >/dev/null 2>&1; }

section boot-id; cat /proc/sys/kernel/random/boot_id
section machine-id; cat /etc/machine-id 2>/dev/null
section os; (. /etc/os-release 2>/dev/null; printf '%s %s\\n' "$ID" "$VERSION_ID")
section kernel; uname -r
section kernels; ls /boot 2>/dev/null | grep '^vmlinuz-'
section reboot-required; [ ! -e /var/run/reboot-required ] || echo yes
section cgroup; stat -fc %T /sys/fs/cgroup
section kubeadm; has kubeadm && timeout 10 kubeadm version -o short 2>/dev/null
section kubelet; has kubelet && timeout 10 kubelet --version 2>/dev/null
section apt; has apt-get && echo yes
section packages; has dpkg-query && dpkg-query -W -f '\${Package} \${db:Status-Status} \${Version}\\n' kubeadm kubelet kubectl 2>/dev/null
# Not apt-mark, which may rewrite apt's cache.
section held; has dpkg && dpkg --get-selections 2>/dev/null | awk '$2 == "hold" { sub(/:.*/, "", $1); print $1 }'
section audit; has dpkg && dpkg --audit 2>/dev/null

# Lines of .list files and stanzas of .sources files, a line each: FILE, tab, text. The parser picks the Kubernetes ones.
section repositories
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
  [ -r "$file" ] && grep -E '^[[:space:]]*deb[[:space:]]' "$file" | while IFS= read -r line; do printf '%s\\t%s\\n' "$file" "$line"; done
done
for file in /etc/apt/sources.list.d/*.sources; do
  [ -r "$file" ] && grep -v '^#' "$file" | awk -v file="$file" -v RS= '{ gsub(/[ \\t]*\\n[ \\t]*/, " "); print file "\\t" $0 }'
done

# KEYRING, tab, a line of gpg's machine-readable form.
section keys
if has gpg; then
  mkdir "$t/gpg"
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    grep -v '^[[:space:]]*#' | grep -oiE 'signed-by[=:][[:space:]]*/[^],[:space:]]*' | sed 's/^[^/]*//' | sort -u | while IFS= read -r ring; do
      [ -r "$ring" ] && gpg --homedir "$t/gpg" --batch --no-autostart --show-keys --with-colons "$ring" 2>/dev/null | grep '^pub:' | while IFS= read -r key; do printf '%s\\t%s\\n' "$ring" "$key"; done
    done
fi

section free
for path in / /var/lib/etcd /var/lib/kubelet /var/cache/apt; do
  [ -d "$path" ] && printf '%s %s\\n' "$path" "$(df -Pk "$path" | awk 'NR == 2 { print $4 }')"
done
section etcd-bytes; [ -d /var/lib/etcd/member ] && du -sb /var/lib/etcd/member 2>/dev/null | cut -f 1
section manifests; ls /etc/kubernetes/manifests 2>/dev/null
section kubelet-flags; cat /var/lib/kubelet/kubeadm-flags.env /etc/default/kubelet 2>/dev/null
section kubelet-config; grep -E '^failCgroupV1:' /var/lib/kubelet/config.yaml 2>/dev/null

# Who holds a lock of dpkg or apt: a lock of that inode, by a process that has that very file open (inodes alone are not unique).
section lock
for file in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock; do
  [ -e "$file" ] || continue
  inode=$(stat -c %i "$file")
  for pid in $(awk -v inode=":$inode\\$" '$2 != "->" && $6 ~ inode { print $5 }' /proc/locks); do
    for fd in /proc/"$pid"/fd/*; do
      [ "$(readlink "$fd" 2>/dev/null)" = "$file" ] || continue
      printf '%s (process %s)\\n' "$(tr '\\0' ' ' </proc/"$pid"/cmdline | cut -c 1-200)" "$pid"
      break
    done
  done
done | sort -u

# kubeadm's own answer; where it has no -o json (before 1.30) or gets no answer from the API, the files themselves.
section certificates-json
[ -e /etc/kubernetes/manifests/kube-apiserver.yaml ] && has kubeadm && timeout 40 kubeadm certs check-expiration -o json 2>/dev/null
section certificates-files
if has openssl; then
  echo openssl
  for file in /etc/kubernetes/pki/*.crt /etc/kubernetes/pki/etcd/*.crt /var/lib/kubelet/pki/kubelet-client-current.pem; do
    [ -r "$file" ] && printf '%s\\t%s\\n' "$file" "$(openssl x509 -noout -enddate -in "$file" 2>/dev/null)"
  done
fi

[ -n "$wanted" ] && has apt-get || { section end; exit 0; }
section candidates
mkdir -p "$t/parts" "$t/lists/partial" "$t/cache/archives/partial"
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
  [ -r "$file" ] && grep -E '^[[:space:]]*deb[[:space:]]' "$file" | grep -E "$pattern"
done | sed -E "s|$pattern|$wanted|g" >"$t/parts/kubernetes.list"
for file in /etc/apt/sources.list.d/*.sources; do
  [ -r "$file" ] && grep -qE "$pattern" "$file" && sed -E "s|$pattern|$wanted|g" "$file" >"$t/parts/\${file##*/}"
done
if [ -s "$t/parts/kubernetes.list" ] || ls "$t"/parts/*.sources >/dev/null 2>&1; then
  # Hooks of the node's own configuration would work on its real lists and caches.
  printf '#clear APT::Update::Pre-Invoke;\\n#clear APT::Update::Post-Invoke;\\n#clear APT::Update::Post-Invoke-Success;\\n' >"$t/apt.conf"
  apt() {
    program=$1; shift
    timeout 90 "$program" -c "$t/apt.conf" -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$t/parts" -o "Dir::State::Lists=$t/lists" \\
      -o "Dir::Cache=$t/cache" -o APT::Sandbox::User=root -o Acquire::Retries=2 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 \\
      -o APT::Update::Error-Mode=any -o Acquire::Languages=none "$@"
  }
  if said=$(apt apt-get update -qq 2>&1); then
    echo offers
    apt apt-cache madison kubeadm kubelet kubectl 2>/dev/null
  else
    printf 'failed\\n%s\\n' "$said" | head -c 4000
  fi
else
  echo none
fi
section end
`;
