import { workersOf, type LabCluster } from './cluster.js';
import { BUSYBOX } from './images.js';

/** The namespace of the workload. */
export const NAMESPACE = 'shop';
const IMAGE = `registry.k8s.io/${BUSYBOX.name}:${BUSYBOX.tag}`;
const SMALL = { requests: { cpu: '1m', memory: '4Mi' } };

type Manifest = Record<string, unknown>;
const meta = (name: string): Manifest => ({ name, namespace: NAMESPACE });
const labels = (app: string): Manifest => ({ matchLabels: { app } });
const sleeping = (first: string): string[] => ['sh', '-c', `${first}trap 'exit 0' TERM; sleep 1000000 & wait`];

const budget = (app: string): Manifest => ({ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: meta(app), spec: { maxUnavailable: 1, selector: labels(app) } });

/** A web server of four replicas behind a Service. A polite one goes on serving for 5 s after it left the Service. */
function web(app: string, polite: boolean): Manifest[] {
  const container = {
    name: 'web',
    image: IMAGE,
    // From a shell with a trap: httpd as pid 1 ignores SIGTERM, and costs the whole grace period in a drain.
    command: ['sh', '-c', "mkdir /www; hostname >/www/index.html; trap 'exit 0' TERM; httpd -f -p 80 -h /www & wait"],
    readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1 },
    resources: SMALL,
    ...(polite ? { lifecycle: { preStop: { sleep: { seconds: 5 } } } } : {}),
  };
  const spread = { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', labelSelector: labels(app) };
  const spec = { terminationGracePeriodSeconds: 15, topologySpreadConstraints: [spread], containers: [container] };
  return [
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: meta(app), spec: { replicas: 4, selector: labels(app), template: { metadata: { labels: { app } }, spec } } },
    { apiVersion: 'v1', kind: 'Service', metadata: meta(app), spec: { selector: { app }, ports: [{ port: 80 }] } },
    budget(app),
  ];
}

/**
 * A StatefulSet with real claims on local volumes, one volume a node: a pod of it never moves, it waits until its node
 * is back. As many replicas as nodes that carry work (3 at most), for two on one node would hold up its drain for ever.
 */
function database(cluster: LabCluster): Manifest[] {
  const workers = workersOf(cluster);
  const homes = (workers.length > 0 ? workers : cluster.nodes).slice(0, 3);
  const on = (node: string): Manifest => ({ nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] }] });
  const volumes = homes.map(({ name }) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `db-${name}` },
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], storageClassName: 'lab-local', persistentVolumeReclaimPolicy: 'Retain', local: { path: '/var/lib/lab-volumes/db' }, nodeAffinity: { required: on(name) } },
  }));
  const container = {
    name: 'db',
    image: IMAGE,
    command: sleeping('[ -e /data/born ] || date >/data/born; date >>/data/starts; '),
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
    resources: SMALL,
  };
  const claim = { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'lab-local', resources: { requests: { storage: '1Gi' } } } };
  const template = { metadata: { labels: { app: 'db' } }, spec: { terminationGracePeriodSeconds: 15, containers: [container] } };
  return [
    { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'lab-local' }, provisioner: 'kubernetes.io/no-provisioner', volumeBindingMode: 'WaitForFirstConsumer' },
    ...volumes,
    { apiVersion: 'v1', kind: 'Service', metadata: meta('db'), spec: { clusterIP: 'None', selector: { app: 'db' }, ports: [{ port: 80 }] } },
    { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: meta('db'), spec: { replicas: homes.length, serviceName: 'db', podManagementPolicy: 'Parallel', selector: labels('db'), template, volumeClaimTemplates: [claim] } },
    budget('db'),
  ];
}

/** A pod that loses its files when it moves, and a pod that nothing brings back. */
function fragile(): Manifest[] {
  const scratch = { name: 'scratch', image: IMAGE, command: sleeping('date >/cache/born; '), volumeMounts: [{ name: 'cache', mountPath: '/cache' }], resources: SMALL };
  const template = { metadata: { labels: { app: 'scratch' } }, spec: { terminationGracePeriodSeconds: 15, volumes: [{ name: 'cache', emptyDir: {} }], containers: [scratch] } };
  const lonely = { terminationGracePeriodSeconds: 5, containers: [{ name: 'bare', image: IMAGE, command: sleeping(''), resources: SMALL }] };
  return [
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: meta('scratch'), spec: { replicas: 1, selector: labels('scratch'), template } },
    { apiVersion: 'v1', kind: 'Pod', metadata: { ...meta('bare'), labels: { app: 'bare' } }, spec: lonely },
  ];
}

/**
 * The prober's rounds, one each 200 ms: web-a in each, the others in every fifth; more than 1 s is a failure. A line a
 * failure (epoch, FAIL, target) and one each ten rounds of what was tried, in a file of the node. Debian's static busybox
 * crashes on `wget -T` and on host names, hence timeout, addresses and nslookup; it shares no cipher with the API server, so that is
 * asked for a connection only (the prober outside the cluster asks for readiness).
 */
const PROBER = `
trap 'exit 0' TERM
try() { target=$1; shift; timeout 1 "$@" >/dev/null 2>&1 || echo "$(date +%s) FAIL $target" >>/log/probes; }
# At its very first start the Services may have no endpoints yet; at any later one that is an outage like any other.
[ -e /log/probes ] || until timeout 1 wget -q -O /dev/null "http://$WEB_A_SERVICE_HOST/" 2>/dev/null && timeout 1 wget -q -O /dev/null "http://$WEB_B_SERVICE_HOST/" 2>/dev/null; do sleep 0.2; done
echo "$(date +%s) START" >>/log/probes
while :; do
  for round in 1 2 3 4 5 6 7 8 9 10; do
    try web-a wget -q -O /dev/null "http://$WEB_A_SERVICE_HOST/"
    if [ $((round % 5)) = 0 ]; then
      try web-b wget -q -O /dev/null "http://$WEB_B_SERVICE_HOST/"
      try dns nslookup web-a.${NAMESPACE}.svc.cluster.local.
      try api sh -c "echo | nc $KUBERNETES_SERVICE_HOST 443"
    fi
    sleep 0.2
  done
  echo "$(date +%s) DONE web-a=10 web-b=2 dns=2 api=2" >>/log/probes
done
`;

/** The prober on every node, control planes too. */
function prober(): Manifest[] {
  const container = { name: 'prober', image: IMAGE, volumeMounts: [{ name: 'log', mountPath: '/log' }], resources: SMALL, command: ['sh', '-c', PROBER] };
  const spec = {
    terminationGracePeriodSeconds: 5,
    tolerations: [{ operator: 'Exists' }],
    volumes: [{ name: 'log', hostPath: { path: '/var/log/prober', type: 'DirectoryOrCreate' } }],
    containers: [container],
  };
  return [{ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: meta('prober'), spec: { selector: labels('prober'), template: { metadata: { labels: { app: 'prober' } }, spec } } }];
}

/** Work that maintenance can disturb, and what notices when it does. */
export const workloadManifests = (cluster: LabCluster, barePod = true): Manifest[] => [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
  ...web('web-a', true),
  ...web('web-b', false),
  ...web('web-c', true),
  ...database(cluster),
  ...fragile().filter(({ kind }) => barePod || kind !== 'Pod'),
  ...prober(),
];
