import type { NodeStatus, RunStatus } from '../../domain/status.js';

export const SINCE = '2026-11-23T12:00:00.000Z';

export const aNodeStatus = (name: string, over: Partial<NodeStatus> = {}): NodeStatus => ({
  name, role: name.startsWith('cp') ? 'control-plane' : 'worker', state: 'notStarted', step: '', since: null, from: '1.36.3', to: '1.37.2', error: null, ...over,
});

export const aRunStatus = (over: Partial<RunStatus> = {}): RunStatus => ({
  cluster: 'prod', run: 'run-1', operation: 'upgrade', state: 'running', step: 'workers', since: SINCE, waitingFor: null, blockers: [], nodes: [aNodeStatus('cp1'), aNodeStatus('w1')],
  from: '1.36.3', to: '1.37.2', digest: 'd1gest', events: [], steps: [], evictions: 0, ...over,
});
