import { PAUSE } from './versions.js';

/** A container that boots like a machine: writable /sys and cgroups, and a fresh boot id at every start. */
export const ENTRYPOINT = `#!/bin/bash
mount -o remount,rw / 2>/dev/null
mount --make-rshared /
mount -o remount,rw /sys || mount -t sysfs sysfs /sys
mount -o remount,rw /proc/sys 2>/dev/null
for c in /sys/fs/cgroup /sys/fs/cgroup/*; do mount -o remount,bind,rw "$c" 2>/dev/null; done
# systemd's own set-up takes the outer machine's id in a container, and all nodes would share it.
[ -s /etc/machine-id ] || tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
rm -f /var/lib/dbus/machine-id
# All containers share the kernel's boot id; a real machine's changes with each boot, which is the proof of one.
cat /proc/sys/kernel/random/uuid >/dev/.boot_id
mount --bind -o ro /dev/.boot_id /proc/sys/kernel/random/boot_id
mkdir -p /etc/kubernetes /var/log/journal
# Not Docker's 127.0.0.11: CoreDNS would take it for a loop and stop.
echo "nameserver $(ip route | sed -n 's/^default via \\([^ ]*\\).*/\\1/p')" >/etc/kubernetes/resolv.conf
exec /sbin/init
`;

export const CONTAINERD_TOML = `version = 3
[plugins."io.containerd.cri.v1.images"]
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "registry.k8s.io/pause:${PAUSE}"
  [plugins."io.containerd.cri.v1.images".registry]
    config_path = "/etc/containerd/certs.d"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
    SystemdCgroup = false
[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["/opt/cni/bin"]
  conf_dir = "/etc/cni/net.d"
`;

/** Routes must survive a reboot, so a unit sets them: what was typed once is gone with the network namespace. */
export const ROUTES_UNIT = `[Unit]
Description=routes to the pod networks of the other nodes
Before=kubelet.service containerd.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'while read -r net via; do ip route replace "$net" via "$via"; done </etc/lab/routes'
[Install]
WantedBy=multi-user.target
`;

/** Host keys are made at the first start, not in the image, or all nodes would share them. */
export const SSH_KEYS_CONF = `[Service]
ExecStartPre=
ExecStartPre=/usr/bin/ssh-keygen -A
ExecStartPre=/usr/sbin/sshd -t
`;

/** Packages of a node beyond Debian's minimum. apt-utils, gnupg and busybox-static also serve the lab's own builds. */
export const NODE_PACKAGES = (
  'systemd systemd-sysv dbus openssh-server sudo ca-certificates iproute2 iputils-ping iptables nftables ethtool socat ' +
  'conntrack ebtables kmod procps psmisc curl gnupg apt-utils apt-transport-https less nano containerd runc ' +
  'containernetworking-plugins busybox-static haproxy restic'
).split(' ');

const MASKED = (
  'systemd-udevd.service systemd-modules-load.service getty@tty1.service console-getty.service ' +
  'systemd-journald-audit.socket apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer haproxy.service'
);

/** The node's image on top of Debian: containerd 2.x, units, and two users for tests of sudo beside root. */
export const nodeDockerfile = (base: string): string => `FROM ${base}
COPY containerd ctr containerd-shim-runc-v2 /usr/local/bin/
COPY config.toml /etc/containerd/config.toml
COPY keys.conf /etc/systemd/system/ssh.service.d/keys.conf
COPY lab-routes.service /etc/systemd/system/lab-routes.service
COPY entrypoint.sh /entrypoint.sh
RUN chmod 755 /entrypoint.sh /usr/local/bin/* \\
 && sed -i 's#/usr/bin/containerd#/usr/local/bin/containerd#' /lib/systemd/system/containerd.service \\
 && mkdir -p /opt/cni/bin /etc/lab && touch /etc/lab/routes && cp /usr/lib/cni/* /opt/cni/bin/ \\
 && useradd -m -s /bin/bash ops && echo 'ops ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/ops \\
 && useradd -m -s /bin/bash -G sudo nopass && echo 'nopass:only-for-the-lab' | chpasswd \\
 && echo 'PasswordAuthentication no' >/etc/ssh/sshd_config.d/lab.conf \\
 && rm -f /etc/machine-id /etc/ssh/ssh_host_* /etc/apt/sources.list && systemctl enable lab-routes.service \\
 && systemctl mask ${MASKED} \\
 && echo 'runtime-endpoint: unix:///run/containerd/containerd.sock' >/etc/crictl.yaml
STOPSIGNAL SIGRTMIN+3
ENTRYPOINT ["/entrypoint.sh"]
`;
