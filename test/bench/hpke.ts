import { randomBytes } from 'node:crypto';
import { buildReport, type ReportTask } from '../../crypto/dap/report.ts';
import { encodeTaskConfiguration, taskId } from '../../crypto/dap/task.ts';
import { HpkePrivateKey, hpkeSeal } from '../../crypto/hpke.ts';
import { Secret } from '../../crypto/secret.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import { chunkLengthFor, prio3Survey } from '../../crypto/vdaf/circuits/survey.ts';
import type { BenchResult } from './result.ts';

/** A survey of 12 questions with 6 options each. */
const BLOCK_LENGTHS: readonly number[] = new Array<number>(12).fill(6);
const CHOICES = [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5];
/** About what a leader's input share and its associated data take, in bytes. */
const PLAINTEXT_SIZE = 1782;
const AAD_SIZE = 900;

const WARM_UP_CALLS = 200;
const CALLS = 1000;

/**
 * HPKE alone, and all that a client does for one report with consent, token and signature: medians
 * in µs a call.
 */
export async function benchHpke(): Promise<BenchResult[]> {
  await sodiumReady();
  const key = HpkePrivateKey.fromSeed(new Secret(random(32)));
  const [info, aad, plaintext] = [random(20), random(AAD_SIZE), random(PLAINTEXT_SIZE)];
  const seal = () => hpkeSeal(key.publicKey, info, aad, plaintext, random(64));
  const { enc, ciphertext } = seal();
  const task = reportTask(key.publicKey);
  return [
    result('seal.node', () => buildReport(task, CHOICES, new Secret(random(32)), random)),
    result('hpke.seal', seal),
    result('hpke.open', () => key.open(enc, info, aad, ciphertext)),
  ];
}

function reportTask(publicKey: Uint8Array): ReportTask {
  const survey = { blockLengths: BLOCK_LENGTHS, chunkLength: chunkLengthFor(BLOCK_LENGTHS) };
  const taskConfiguration = encodeTaskConfiguration({
    taskInfo: random(32),
    leaderAggregatorEndpoint: 'https://guardian.example/',
    helperAggregatorEndpoint: 'https://employer.example/',
    timePrecision: 86_400,
    minBatchSize: 10,
    survey,
    taskInterval: { start: 20_000, duration: 14 },
  });
  return {
    taskId: taskId(taskConfiguration),
    taskConfiguration,
    vdaf: prio3Survey(survey),
    leader: { configId: 1, publicKey },
    helper: { configId: 2, publicKey },
    time: 20_000,
    consent: random(32),
    token: random(354),
  };
}

function result(name: string, call: () => unknown): BenchResult {
  for (let i = 0; i < WARM_UP_CALLS; i++) call();
  const times = Array.from({ length: CALLS }, () => {
    const start = performance.now();
    call();
    return (performance.now() - start) * 1000;
  });
  times.sort((a, b) => a - b);
  return { name, unit: 'µs', value: times[CALLS / 2] as number };
}

function random(length: number): Uint8Array {
  return new Uint8Array(randomBytes(length));
}
