import type { Command } from '../ports/remote-shell.js';

interface UpgradeOptions {
  readonly ignorePreflightErrors: readonly string[];
  /** Directory with patches; kubeadm does not remember it from one upgrade to the next. */
  readonly patches?: string;
}

/** kubeadm looks for its configuration with admin.conf (control plane) or kubelet.conf (worker) by itself. */
export function upgradeApply(kubernetesVersion: string, options: UpgradeOptions): Command {
  return kubeadm(['upgrade', 'apply', `v${kubernetesVersion}`, '--yes', ...flags(options)]);
}

export function upgradeNode(options: UpgradeOptions): Command {
  return kubeadm(['upgrade', 'node', ...flags(options)]);
}

const kubeadm = (args: readonly string[]): Command => ({ program: 'env', args: ['LC_ALL=C', 'kubeadm', ...args] });

function flags({ ignorePreflightErrors, patches }: UpgradeOptions): string[] {
  return [...(ignorePreflightErrors.length > 0 ? [`--ignore-preflight-errors=${ignorePreflightErrors.join(',')}`] : []), ...(patches ? [`--patches=${patches}`] : [])];
}

/**
 * The target's own kubeadm knows which images it wants, so it is taken out of the downloaded package, beside the installed one. A control-plane node pulls
 * them all; a worker what will run on it: kube-proxy, CoreDNS, pause. Pulling goes through the runtime's own configuration (mirrors included).
 * $1: package file's name without architecture, $2: version, $3: all or worker.
 */
const PULL = `
set -eu
deb=$(ls /var/cache/apt/archives/"$(printf %s "$1" | sed 's/:/%3a/g')"_*.deb | head -n 1)
dir=$(mktemp -d /var/lib/drydock/kubeadm.XXXXXX)
trap 'rm -rf "$dir"' EXIT
dpkg-deb -x "$deb" "$dir"
kubeadm=$dir/usr/bin/kubeadm
repository=$(kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system get configmap kubeadm-config -o 'jsonpath={.data.ClusterConfiguration}' 2>/dev/null | sed -n 's/^imageRepository: *//p' || true)
set -- "$2" "$3" --kubernetes-version "v$2" \${repository:+--image-repository "$repository"}
version=$1 what=$2; shift 2
images=$("$kubeadm" config images list "$@" 2>/dev/null)
if [ "$what" = worker ]; then images=$(printf '%s\\n' "$images" | grep -E '/(kube-proxy|coredns|pause)[:@]' || true); fi
for image in $images; do
  if command -v crictl >/dev/null 2>&1; then crictl pull "$image"
  elif command -v ctr >/dev/null 2>&1; then
    ctr -n k8s.io images ls -q 2>/dev/null | grep -qxF "$image" && { echo "there: $image"; continue; }
    ctr -n k8s.io images pull --hosts-dir /etc/containerd/certs.d "$image" >/dev/null 2>&1 || { echo "cannot pull $image ahead; the kubelet will" >&2; continue; }
  else echo "drydock: neither crictl nor ctr, so images are pulled by the kubelet when they are needed"; exit 0
  fi
  echo "pulled $image"
done
`;

export function pullImages(input: { kubeadmPackage: string; kubernetesVersion: string; controlPlane: boolean }): Command {
  return { program: 'env', args: ['LC_ALL=C', 'sh', '-c', PULL, 'drydock', input.kubeadmPackage, input.kubernetesVersion, input.controlPlane ? 'all' : 'worker'] };
}
