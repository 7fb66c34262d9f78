import { type Answer, type CertificateFacts, known, unknown } from '../../domain/facts.js';
import { linesOf } from './sections.js';

interface KubeadmCertificate {
  readonly name: string;
  readonly expirationDate: string;
  readonly missing?: boolean;
}

/** kubeadm's JSON where there is one, with what it does not list from the files; else the files alone. */
export function certificatesOf(json: string | undefined, files: string | undefined): Answer<readonly CertificateFacts[]> {
  const fromKubeadm = parseJson(json ?? '');
  const rows = linesOf(files);
  const fromFiles = rows.slice(1).flatMap(fileCertificate);
  if (fromKubeadm) return known([...fromKubeadm, ...fromFiles.filter((certificate) => certificate.name === KUBELET)]);
  return rows[0] === 'openssl' ? known(fromFiles) : unknown('neither `kubeadm certs check-expiration -o json` nor openssl gives an answer');
}

/** `output.kubeadm.k8s.io/v1alpha3 CertificateExpirationInfo`; older versions print a line before it. */
function parseJson(text: string): CertificateFacts[] | undefined {
  const start = text.indexOf('{');
  if (start < 0) return undefined;
  try {
    const info = JSON.parse(text.slice(start)) as { certificates?: KubeadmCertificate[]; certificateAuthorities?: KubeadmCertificate[] };
    const facts = (list: KubeadmCertificate[] | undefined, authority: boolean) =>
      (list ?? []).filter((each) => each.missing !== true).map((each) => ({ name: each.name, expires: each.expirationDate, authority }));
    return [...facts(info.certificates, false), ...facts(info.certificateAuthorities, true)];
  } catch {
    return undefined;
  }
}

const KUBELET = 'kubelet-client';

/** FILE, tab, `notAfter=Nov 23 15:02:35 2027 GMT`. A file without an end is kept: the check refuses what cannot be read. */
function fileCertificate(row: string): CertificateFacts[] {
  const [file = '', end = ''] = row.split('\t');
  if (file === '') return [];
  const name = file.startsWith('/var/lib/kubelet/') ? KUBELET : file.replace('/etc/kubernetes/pki/', '').replace(/\.crt$/, '').replaceAll('/', '-');
  const time = Date.parse(end.replace('notAfter=', ''));
  return [{ name, expires: Number.isNaN(time) ? end : new Date(time).toISOString(), authority: /(^|-)ca$/.test(name) }];
}
