import { randomBytes } from 'node:crypto';
import { buildReport, type ReportTask } from '../../crypto/dap/report.ts';
import { encodeTaskConfiguration, taskId } from '../../crypto/dap/task.ts';
import { HpkePrivateKey, hpkeSeal } from '../../crypto/hpke.ts';
import { Secret } from '../../crypto/secret.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import { prio3Survey } from '../../crypto/vdaf/circuits/survey.ts';
import type { BenchResult } from './result.ts';
import { choicesOf, named, parametersOf, SIZES, type SurveySize, USUAL } from './survey-sizes.ts';

/** What a PlaintextInputShare has beside its payload, in bytes. */
const FRAME_SIZE = 6;
/** About what the associated data of an input share takes. */
const AAD_SIZE = 900;

const WARM_UP_CALLS = 200;
const CALLS = 1000;

/**
 * All that a client does for one report with consent, token and signature; and HPKE alone, on the
 * leader's input share of surveys of 12 to 1000 elements. Medians in µs a call.
 */
export async function benchHpke(): Promise<BenchResult[]> {
  await sodiumReady();
  const key = HpkePrivateKey.fromSeed(new Secret(random(32)));
  const task = reportTask(key.publicKey);
  const choices = choicesOf(USUAL);
  return [
    result('seal.node', () => buildReport(task, choices, new Secret(random(32)), random)),
    ...SIZES.flatMap((size) => sealAndOpen(key, size)),
  ];
}

function sealAndOpen(key: HpkePrivateKey, size: SurveySize): BenchResult[] {
  const shareSize = prio3Survey(parametersOf(size)).inputShareSize(0);
  const [info, aad, plaintext] = [random(20), random(AAD_SIZE), random(FRAME_SIZE + shareSize)];
  const seal = () => hpkeSeal(key.publicKey, info, aad, plaintext, random(64));
  const { enc, ciphertext } = seal();
  return [
    result(named('hpke.seal', size), seal),
    result(named('hpke.open', size), () => key.open(enc, info, aad, ciphertext)),
  ];
}

function reportTask(publicKey: Uint8Array): ReportTask {
  const survey = parametersOf(USUAL);
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
