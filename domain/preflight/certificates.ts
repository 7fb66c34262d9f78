/** Certificates must outlive the upgrade. kubeadm renews its leaves on the way, never an authority. */
import type { Finding } from '../plan.js';
import { type Check, reachedHosts, refusal, warning } from './check.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const REFUSE_BELOW_DAYS = 1;
const WARN_BELOW_DAYS = 30;

/** Days from one ISO time to another; NaN when either is not a time. */
export const daysUntil = (from: string, until: string): number => (Date.parse(until) - Date.parse(from)) / DAY_MS;

export const certificates: Check = ({ facts }) =>
  reachedHosts(facts).flatMap(({ name, host }) => {
    if (!host.certificates.known) return [];
    return host.certificates.value.flatMap((certificate): readonly Finding[] => {
      const days = daysUntil(facts.takenAt, certificate.expires);
      const what = `${certificate.authority ? 'The authority' : 'The certificate'} ${certificate.name} on ${name}`;
      const detail = { node: name, evidence: `${certificate.name}: ${certificate.expires}` };
      if (Number.isNaN(days)) return [refusal('unknown-certificates', { ...detail, message: `${what} has no readable end: "${certificate.expires}"` })];
      if (days < REFUSE_BELOW_DAYS) return [refusal('certificate-expired', { ...detail, message: `${what} ${days < 0 ? 'expired' : 'expires'} on ${certificate.expires.slice(0, 10)}` })];
      return days < WARN_BELOW_DAYS ? [warning('certificate-expiring', { ...detail, message: `${what} expires in ${Math.floor(days)} days` })] : [];
    });
  });
