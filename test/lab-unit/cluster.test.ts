import assert from 'node:assert/strict';
import { parse } from 'yaml';
import { planNodes, type LabCluster } from '../../lab/cluster.js';
import { drydockYaml } from '../../lab/cluster-files.js';
import { capabilityNames } from '../../lab/docker.js';
import { initConfig } from '../../lab/kubeadm.js';
import { kubernetesGoMod } from '../../lab/kubernetes-source.js';
import { cniConfig, routesFor } from '../../lab/network.js';
import { haproxyConfig } from '../../lab/nodes.js';
import { workloadManifests } from '../../lab/workload-manifests.js';

const nodes = planNodes('demo', '10.77.3', 3, 2);
const cluster: LabCluster = {
  name: 'demo', version: '1.36.3', dir: '/d', kubeconfig: '/d/kubeconfig', config: '/d/drydock.yaml', sshKey: '/k', knownHosts: '/d/known_hosts',
  endpoint: '10.77.3.10:6443', nodes, startedAt: '2026-01-01T00:00:00Z',
};

describe('a lab cluster', () => {
  it('names and places its nodes', () =>
    assert.deepEqual(nodes.map(({ name, ip }) => `${name} ${ip}`), ['demo-cp1 10.77.3.11', 'demo-cp2 10.77.3.12', 'demo-cp3 10.77.3.13', 'demo-w1 10.77.3.21', 'demo-w2 10.77.3.22']));

  it('routes each node to the pods of all others, never to its own', () => {
    const [first] = nodes;
    assert.ok(first);
    const routes = routesFor(nodes, first).trim().split('\n');
    assert.equal(routes.length, 4);
    assert.equal(routes[0], '10.244.1.0/24 10.77.3.12');
    assert.match(cniConfig(0), /10\.244\.0\.0\/24/);
  });

  it('writes a drydock.yaml with a template for the repository', () => {
    const config = parse(drydockYaml(cluster)) as { packages: { repository: string }; nodes: unknown[] };
    assert.match(config.packages.repository, /^http:\/\/packages:\d+\/v\{minor\}\/$/);
    assert.deepEqual(config.nodes[3], { name: 'demo-w1', host: '10.77.3.21', role: 'worker' });
  });

  it('puts only control planes behind the load balancer', () => {
    const config = haproxyConfig(nodes.slice(0, 3));
    assert.equal(config.match(/^ {2}server /gm)?.length, 3);
  });

  it('gives kubeadm the shared endpoint and the own address', () => {
    const [first] = nodes;
    assert.ok(first);
    const text = initConfig(cluster, first, 'secret');
    assert.match(text, /controlPlaneEndpoint: 10\.77\.3\.10:6443/);
    assert.match(text, /advertiseAddress: 10\.77\.3\.11/);
  });

  it('gives the StatefulSet one volume and one replica a worker, so that a drain can end', () => {
    const manifests = workloadManifests(cluster);
    const set = manifests.find(({ kind }) => kind === 'StatefulSet') as { spec: { replicas: number } };
    assert.equal(set.spec.replicas, 2);
    assert.equal(manifests.filter(({ kind }) => kind === 'PersistentVolume').length, 2);
    assert.ok(manifests.some(({ kind }) => kind === 'Pod'));
    assert.ok(!workloadManifests(cluster, false).some(({ kind }) => kind === 'Pod'));
  });
});

describe('what a container is given', () => {
  it('names only the capabilities that are there', () => {
    assert.deepEqual(capabilityNames('0000000000000003'), ['CHOWN', 'DAC_OVERRIDE']);
    assert.ok(!capabilityNames('000001fffeffffff').includes('SYS_RESOURCE'));
    assert.equal(capabilityNames('ffffffffffffffff').length, 38);
  });
});

describe('the module of one version of Kubernetes', () => {
  it('replaces each staging module once', () => {
    const text = kubernetesGoMod('1.36.3', 'module k8s.io/kubernetes\n\ngo 1.26.0\n\nreplace (\n\tk8s.io/api => ./staging/src/k8s.io/api\n\tk8s.io/kubectl => ./staging/src/k8s.io/kubectl\n)\n');
    assert.match(text, /^go 1\.26\.0$/m);
    assert.match(text, /^replace k8s\.io\/api => k8s\.io\/api v0\.36\.3$/m);
    assert.equal(text.match(/^replace /gm)?.length, 2);
  });
});
