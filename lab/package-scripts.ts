/** Scripts that run in the base image: the tools they want (dpkg-deb, apt-ftparchive, gpg) are Debian's own. */

const KUBELET_DROP_IN = `[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
`;

const KUBELET_UNIT = `[Unit]
Description=kubelet: The Kubernetes Node Agent
Documentation=https://kubernetes.io/docs/
Wants=network-online.target
After=network-online.target
[Service]
ExecStart=/usr/bin/kubelet
Restart=always
StartLimitInterval=0
RestartSec=10
[Install]
WantedBy=multi-user.target
`;

const KUBELET_POSTINST = `#!/bin/sh
set -e
if [ "$1" = configure ]; then
  systemctl daemon-reload || true
  systemctl enable kubelet >/dev/null 2>&1 || true
fi
`;

/** Packages of the shape of the official ones, from /programs into /out. Wants: version, revision, arch. */
export const DEB_SCRIPT = `
package() { # NAME DESCRIPTION: makes one package of what lies in its folder
  mkdir -p "/tmp/$1/DEBIAN" "/tmp/$1/usr/bin"; chmod 755 "/tmp/$1"
  install -m 755 "/programs/$1" "/tmp/$1/usr/bin/$1"
  printf 'Package: %s\\nVersion: %s-%s\\nArchitecture: %s\\nSection: admin\\nPriority: optional\\nMaintainer: drydock lab <lab@drydock.invalid>\\nDescription: %s\\n' \\
    "$1" "$version" "$revision" "$arch" "$2" >"/tmp/$1/DEBIAN/control"
  dpkg-deb -Zzstd -z3 --root-owner-group -b "/tmp/$1" "/out/$1_$version-\${revision}_$arch.deb" >/dev/null
}
mkdir -p /tmp/kubeadm/usr/lib/systemd/system/kubelet.service.d /tmp/kubelet/usr/lib/systemd/system /tmp/kubelet/etc/kubernetes/manifests /tmp/kubelet/DEBIAN
cat >/tmp/kubeadm/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf <<'END'
${KUBELET_DROP_IN}END
cat >/tmp/kubelet/usr/lib/systemd/system/kubelet.service <<'END'
${KUBELET_UNIT}END
cat >/tmp/kubelet/DEBIAN/postinst <<'END'
${KUBELET_POSTINST}END
chmod 755 /tmp/kubelet/DEBIAN /tmp/kubelet/DEBIAN/postinst
package kubeadm 'Command-line utility for administering a Kubernetes cluster'
package kubelet 'Node agent for Kubernetes clusters'
package kubectl 'Command-line utility for interacting with a Kubernetes cluster'
`;

/** A key that signs and lasts for ten years, into /keys. */
export const KEY_SCRIPT = `
export GNUPGHOME=/tmp/gnupg; mkdir -m 700 $GNUPGHOME
gpg --batch --quiet --passphrase '' --quick-generate-key 'drydock lab packages <lab@drydock.invalid>' rsa3072 sign 10y
umask 077
gpg --batch --export >/keys/kubernetes.gpg
gpg --batch --export-secret-keys --armor >/keys/secret.asc
gpgconf --kill all
`;

/** Indexes and signs the flat repository in /repository with the key in /keys. */
export const INDEX_SCRIPT = `
export GNUPGHOME=/tmp/gnupg; mkdir -m 700 $GNUPGHOME
gpg --batch --quiet --import /keys/secret.asc
cd /repository
apt-ftparchive packages . >/tmp/Packages && mv /tmp/Packages . && gzip -kf Packages
apt-ftparchive release . >/tmp/Release && mv /tmp/Release .
gpg --batch --yes --clearsign -o InRelease Release
gpg --batch --yes --armor --detach-sign -o Release.gpg Release
gpgconf --kill all
`;
