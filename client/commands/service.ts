import { readFile } from 'node:fs/promises';
import type { Common } from '../context.js';
import { EXIT, Exit } from '../exit.js';
import { plain } from '../render/plain.js';
import { logFiles, serviceStatus, stopService } from '../service/embedded.js';

export async function service(args: readonly string[], options: Common): Promise<number> {
  switch (args[0]) {
    case 'status':
      return status(options);
    case 'stop': {
      const stopped = await stopService();
      process.stdout.write(options.json ? `${JSON.stringify(stopped)}\n` : `${stopped.server || stopped.worker ? 'Stopped.' : 'Nothing was running.'} A running maintenance goes on at the next command.\n`);
      return EXIT.done;
    }
    case 'logs':
      for (const path of [logFiles.server(), logFiles.worker()]) process.stdout.write(`==> ${path}\n${(await readFile(path, 'utf8').catch(() => '(none)\n')).split('\n').slice(-60).map((line) => plain(line.replaceAll('\t', '  '))).join('\n')}\n`);
      return EXIT.done;
    default:
      throw new Exit(EXIT.usage, `service: found ${JSON.stringify(args[0])}, wanted status, stop or logs`);
  }
}

async function status(options: Common): Promise<number> {
  const now = await serviceStatus();
  if (options.json) process.stdout.write(`${JSON.stringify(now, null, 2)}\n`);
  else {
    process.stdout.write(now.server ? `server  running, pid ${now.server.pid}, ${now.server.address}, web UI ${now.server.webUi}\n` : 'server  not running\n');
    process.stdout.write(now.worker ? `worker  running, pid ${now.worker.pid}\n` : 'worker  not running\n');
  }
  return EXIT.done;
}
