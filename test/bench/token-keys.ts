import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KEYS_PER_FILE } from '../../server/employer/token-keys.ts';
import { startBenchProcesses } from './parties.ts';
import type { BenchResult } from './result.ts';

/** The groups of a large company's round. */
const GROUPS = 2_000;
/** How many keys are measured before the rest is projected: whole files. */
const MEASURED = 8 * KEYS_PER_FILE;
const PAUSE_MS = 10;
/** How long nothing is made, to see what the machine itself does to a request. */
const IDLE_MS = 10_000;

interface Requests {
  readonly maxMs: number;
  readonly p99Ms: number;
}

/**
 * Token keys in the background of an employer's process, while it is asked for a page's health again
 * and again: keys per second, what that makes for 2,000 groups, and the longest that a request took.
 */
export async function benchTokenKeys(): Promise<BenchResult[]> {
  const parties = await startBenchProcesses();
  try {
    const { employer, urls, folder } = parties;
    const keys = join(folder, 'employer', 'keys');
    const filesNow = () => readdirSync(keys).filter((name) => name.startsWith('tokens-')).length;
    const url = `${urls.employer}/health`;
    const idleEnds = performance.now() + IDLE_MS;
    const idle = await askUntil(url, () => performance.now() > idleEnds);
    const started = performance.now();
    await employer.request({ kind: 'token-keys', rounds: [1], groups: GROUPS });
    const busy = await askUntil(url, () => filesNow() * KEYS_PER_FILE >= MEASURED);
    const perSecond = (filesNow() * KEYS_PER_FILE * 1000) / (performance.now() - started);
    return [
      { name: 'token-keys', unit: 'keys/s in the background', value: perSecond },
      {
        name: 'token-keys.round',
        unit: `s for ${GROUPS} groups`,
        value: GROUPS / perSecond,
        note: `from ${MEASURED}`,
      },
      {
        name: 'token-keys.held',
        unit: 'ms, the longest request meanwhile',
        value: busy.maxMs,
        note: `99th percentile ${busy.p99Ms.toFixed(1)}`,
      },
      {
        name: 'token-keys.idle',
        unit: 'ms, the same with nothing to do',
        value: idle.maxMs,
        note: `99th percentile ${idle.p99Ms.toFixed(1)}`,
      },
    ];
  } finally {
    await parties.close();
  }
}

async function askUntil(url: string, ended: () => boolean): Promise<Requests> {
  const times: number[] = [];
  while (!ended()) {
    const started = performance.now();
    const response = await fetch(url);
    await response.arrayBuffer();
    times.push(performance.now() - started);
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    await sleep(PAUSE_MS);
  }
  times.sort((a, b) => a - b);
  return {
    maxMs: times.at(-1) as number,
    p99Ms: times[Math.floor(times.length * 0.99)] as number,
  };
}
