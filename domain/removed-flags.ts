/**
 * Flags that a component no longer knows: it does not start with them.
 * Sources: release notes 1.24, 1.27, 1.31, 1.32, 1.34, 1.35 (#133778, #133779), 1.37.
 */

interface RemovedFlag {
  readonly since: number;
  /** Exact names, or a prefix that ends in `*`. */
  readonly flags: readonly string[];
  /** kubeadm of that very minor takes it out of kubeadm-flags.env; later ones do not. */
  readonly kubeadmCleans?: boolean;
}

const KUBELET: readonly RemovedFlag[] = [
  { since: 24, flags: ['--network-plugin', '--cni-conf-dir', '--cni-bin-dir', '--cni-cache-dir', '--network-plugin-mtu', '--docker-endpoint', '--image-pull-progress-deadline'] },
  { since: 27, flags: ['--container-runtime'] },
  { since: 31, flags: ['--keep-terminated-pod-volumes'] },
  { since: 34, flags: ['--cloud-config'] },
  { since: 35, flags: ['--pod-infra-container-image'], kubeadmCleans: true },
  {
    since: 37,
    flags: [
      '--application-metrics-count-limit', '--boot-id-file', '--container-hints', '--containerd', '--containerd-namespace', '--enable-load-reader',
      '--event-storage-*', '--global-housekeeping-interval', '--log-cadvisor-usage', '--machine-id-file', '--storage-driver-*',
    ],
  },
];

export interface KubeletRemoval {
  /** `--cloud-config`. */
  readonly flag: string;
  /** As it stands on the node, with its value. */
  readonly found: string;
  readonly since: number;
  /** This hop's kubeadm removes it from kubeadm-flags.env by itself. */
  readonly cleanedNow: boolean;
}

const nameOf = (flag: string): string => `--${(flag.replace(/^-+/, '').split(/[=\s]/)[0] ?? '')}`;
const matches = (name: string, pattern: string): boolean => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern);

/** The flags of a node that the kubelet of the target minor refuses. `--storage-driver` alone counts with `--storage-driver-*`. */
export function kubeletRemovals(flags: readonly string[], targetMinor: number): readonly KubeletRemoval[] {
  return flags.flatMap((found) => {
    const flag = nameOf(found);
    const removal = KUBELET.find((r) => r.since <= targetMinor && r.flags.some((pattern) => matches(flag, pattern) || `${flag}-*` === pattern));
    return removal ? [{ flag, found, since: removal.since, cleanedNow: removal.kubeadmCleans === true && removal.since === targetMinor }] : [];
  });
}

export interface ControllerManagerRemoval {
  readonly found: string;
  readonly why: string;
}

/** Arguments of the controller manager that keep it from starting at the target minor. */
export function controllerManagerRemovals(args: readonly string[], targetMinor: number): readonly ControllerManagerRemoval[] {
  return args.flatMap((found) => {
    const flag = nameOf(found);
    const value = found.includes('=') ? found.slice(found.indexOf('=') + 1) : '';
    if (targetMinor >= 27 && (flag === '--pod-eviction-timeout' || flag === '--enable-taint-manager')) {
      return [{ found, why: 'removed in 1.27; without effect since 1.13, when evictions by taints came: set tolerationSeconds on pods instead' }];
    }
    if (targetMinor >= 32 && flag === '--cloud-provider' && value !== '' && value !== 'external') return [{ found, why: 'from 1.32 only "external" or nothing is accepted' }];
    if (targetMinor >= 37 && flag === '--concurrent-service-syncs') return [{ found, why: 'removed in 1.37' }];
    return [];
  });
}
