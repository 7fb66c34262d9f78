import { dockerReady as ready, type DockerState } from './host.js';
import { createProgress, type OnProgress } from './progress.js';

export type { DockerState };

/** Whether Docker answers; as root on Debian or Ubuntu it is installed and started first if need be, and `onProgress` is told. */
export const dockerReady = (onProgress?: OnProgress): Promise<DockerState> => ready(createProgress(onProgress));
