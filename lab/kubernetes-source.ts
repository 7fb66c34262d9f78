import { minorOf } from './versions.js';

/** One binary for the four long-running components, which picks by its own name: 121 MB rather than 300. */
export const COMPONENTS_GO = `// One binary for the four long-running components; it picks by its own name.
package main

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	manager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

var components = map[string]func() *cobra.Command{
	"kube-apiserver":          func() *cobra.Command { return apiserver.NewAPIServerCommand() },
	"kube-controller-manager": func() *cobra.Command { return manager.NewControllerManagerCommand() },
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kube-proxy":              func() *cobra.Command { return proxy.NewProxyCommand() },
}

func main() {
	component, known := components[filepath.Base(os.Args[0])]
	if !known {
		os.Stderr.WriteString("unknown component\\n")
		os.Exit(2)
	}
	os.Exit(cli.Run(component()))
}
`;

/** pause: sleeps until told to end. kubeadm's upgrade health check runs `pause -v` and wants exit code 0. */
export const PAUSE_GO = `package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "-v" {
		fmt.Println("pause of the drydock lab")
		return
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	<-end
}
`;

/**
 * go.mod for one version of Kubernetes. `upstream` is its own go.mod: the staging modules are named there
 * only, in replace lines that point into a folder which the downloaded module does not hold.
 */
export function kubernetesGoMod(version: string, upstream: string): string {
  const goVersion = /^go (\S+)/m.exec(upstream)?.[1] ?? '1.24.0';
  const staging = [...upstream.matchAll(/(k8s\.io\/[a-z0-9-]+) => \.\/staging/g)].map((match) => match[1] ?? '');
  const stagingVersion = version.replace(/^1\./, '0.');
  return [
    'module drydock.lab/kubernetes\n',
    `go ${goVersion}\n`,
    `require k8s.io/kubernetes v${version}\n`,
    ...[...new Set(staging)].map((name) => `replace ${name} => ${name} v${stagingVersion}`),
    '',
  ].join('\n');
}

/** The version that the programs report, for the two packages that hold one. */
export function kubernetesFlags(version: string): string {
  const values = {
    gitVersion: `v${version}`,
    gitMajor: '1',
    gitMinor: minorOf(version).split('.')[1] ?? '',
    gitTreeState: 'clean',
    gitCommit: Buffer.from(`drydock lab v${version}`).toString('hex').padEnd(40, '0').slice(0, 40),
    buildDate: '2026-01-01T00:00:00Z',
  };
  return ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version']
    .flatMap((name) => Object.entries(values).map(([key, value]) => `-X ${name}.${key}=${value}`))
    .join(' ');
}
