import type { Command } from '../ports/remote-shell.js';

/** The kubeadm package owns the kubelet's drop-in: without daemon-reload the new kubelet could start with the old flags. */
export function restartKubeletCommand(): Command {
  return { program: 'sh', args: ['-c', 'systemctl daemon-reload && systemctl restart kubelet', 'drydock'] };
}
