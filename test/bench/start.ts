import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { BenchResult } from './result.ts';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const PORTS = { guardian: 46_301, employer: 46_302 };

/**
 * `npm start` in an empty folder: seconds until both parties answer with a page, and until the
 * sample is complete and the employee's link is there.
 */
export async function benchStart(): Promise<BenchResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'chorus-bench-'));
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const child = spawn('npm', ['start', '--silent', '--', '--json'], {
    cwd: PROJECT,
    env: {
      ...process.env,
      CHORUS_DATA: join(folder, 'data'),
      CHORUS_GUARDIAN_PORT: String(PORTS.guardian),
      CHORUS_EMPLOYER_PORT: String(PORTS.employer),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  try {
    const complete = new Promise<number>((resolve) => {
      child.stdout.on('data', (data: Buffer) => {
        if (data.includes('{')) resolve(seconds());
      });
    });
    await Promise.all(Object.values(PORTS).map((port) => untilAnswers(port)));
    const answering = seconds();
    return [
      { name: 'start', unit: 's until both answer', value: answering },
      { name: 'start.complete', unit: 's until the sample is complete', value: await complete },
    ];
  } finally {
    process.kill(-(child.pid as number), 'SIGINT');
    await new Promise((resolve) => child.once('exit', resolve));
    rmSync(folder, { recursive: true, force: true });
  }
}

async function untilAnswers(port: number): Promise<void> {
  for (;;) {
    try {
      if ((await fetch(`http://127.0.0.1:${port}/`)).ok) return;
    } catch {
      // Not yet.
    }
    await sleep(20);
  }
}
