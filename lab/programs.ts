import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { artefact } from './artefact.js';
import { buildFromModules, buildPrograms, fetchModules, go, toolsFile, writeModule, type Program } from './go-build.js';
import { COMPONENTS_GO, kubernetesFlags, kubernetesGoMod, PAUSE_GO } from './kubernetes-source.js';
import { downloadContainerd, downloadKubernetes } from './official.js';
import { cachePath } from './paths.js';
import type { Progress } from './progress.js';
import { sources } from './sources.js';
import { CONTAINERD, KUBERNETES, minorOf, PAUSE } from './versions.js';

/** An empty source folder for this build. The logs of a failed one stay until the next try. */
async function sourceFolder(name: string): Promise<string> {
  const folder = cachePath('go', name);
  await rm(folder, { recursive: true, force: true });
  await writeModule(folder, {});
  return folder;
}

async function kubernetesUpstream(version: string): Promise<string> {
  const neighbours = (KUBERNETES[minorOf(version)] ?? []).join(', ');
  const json = await fetchModules(`kubernetes ${version}: fetching its module`, '/', ['mod', 'download', '-json', `k8s.io/kubernetes@v${version}`], `Known to be there: ${neighbours}.`);
  const { GoMod } = JSON.parse(json) as { GoMod: string };
  return readFile(GoMod, 'utf8');
}

async function buildKubernetes(version: string, out: string, progress: Progress): Promise<void> {
  const what = `kubernetes ${version}`;
  const upstream = await kubernetesUpstream(version);
  const folder = await sourceFolder(`k8s-${version}`);
  const tools = ['kubeadm', 'kubectl', 'kubelet'];
  await writeModule(folder, {
    'go.mod': kubernetesGoMod(version, upstream),
    'tools.go': toolsFile(tools.map((name) => `k8s.io/kubernetes/cmd/${name}`)),
    'components/main.go': COMPONENTS_GO,
  });
  await go(`${what}: go mod tidy`, folder, ['mod', 'tidy'], 900);
  for (const name of tools) {
    await progress.step(`${what}: building ${name} (all four parts take 2 to 5 min the first time)`, () =>
      buildPrograms(what, folder, [{ path: `k8s.io/kubernetes/cmd/${name}`, output: join(out, name) }], kubernetesFlags(version)));
  }
  await progress.step(`${what}: building the control-plane programs`, () =>
    buildPrograms(what, folder, [{ path: './components', output: join(out, 'kube-components') }], kubernetesFlags(version)));
}

/** kubeadm, kubelet, kubectl and, when built here, the control-plane programs of one version. Returns their folder. */
export const kubernetesPrograms = (version: string, progress: Progress): Promise<string> =>
  artefact(`bin/k8s-${version}`, progress, `kubernetes ${version}: programs`, async (out) =>
    (await sources()) === 'official' ? downloadKubernetes(version, out) : buildKubernetes(version, out, progress));

const inFolder = (folder: string, paths: Record<string, string>): Program[] =>
  Object.entries(paths).map(([name, path]) => ({ path, output: join(folder, name) }));

export const etcdPrograms = (version: string, progress: Progress): Promise<string> =>
  artefact(`bin/etcd-${version}`, progress, `etcd ${version}: building (45 s the first time)`, async (out) => {
    const module = 'go.etcd.io/etcd';
    const programs = { etcd: `${module}/server/v3`, etcdctl: `${module}/etcdctl/v3`, etcdutl: `${module}/etcdutl/v3` };
    const modules = Object.values(programs).map((path) => `${path}@v${version}`);
    await buildFromModules(`etcd ${version}`, await sourceFolder(`etcd-${version}`), modules, inFolder(out, programs));
  });

export const corednsPrograms = (version: string, progress: Progress): Promise<string> =>
  artefact(`bin/coredns-${version}`, progress, `coredns ${version}: building (2 min the first time)`, async (out) => {
    const module = 'github.com/coredns/coredns';
    const folder = await sourceFolder(`coredns-${version}`);
    await buildFromModules(`coredns ${version}`, folder, [`${module}@v${version}`], inFolder(out, { coredns: module }));
  });

export const containerdPrograms = (progress: Progress): Promise<string> =>
  artefact(`bin/containerd-${CONTAINERD}`, progress, `containerd ${CONTAINERD}: building or fetching (90 s the first time)`, async (out) => {
    if ((await sources()) === 'official') return downloadContainerd(CONTAINERD, out);
    const module = 'github.com/containerd/containerd/v2';
    const names = ['containerd', 'containerd-shim-runc-v2', 'ctr'];
    const programs = inFolder(out, Object.fromEntries(names.map((name) => [name, `${module}/cmd/${name}`])));
    const folder = await sourceFolder(`containerd-${CONTAINERD}`);
    await buildFromModules(`containerd ${CONTAINERD}`, folder, [`${module}@v${CONTAINERD}`], programs, `-X ${module}/version.Version=${CONTAINERD}`);
  });

export const pauseProgram = (progress: Progress): Promise<string> =>
  artefact(`bin/pause-${PAUSE}`, progress, `pause ${PAUSE}: building`, async (out) => {
    const folder = await sourceFolder('pause');
    await writeModule(folder, { 'go.mod': 'module drydock.lab/pause\n\ngo 1.24.0\n', 'main.go': PAUSE_GO });
    await buildPrograms(`pause ${PAUSE}`, folder, [{ path: '.', output: join(out, 'pause') }]);
  });
