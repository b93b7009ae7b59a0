import { createPublicKey, verify } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { concat, toHex, utf8 } from '../../../crypto/bytes.ts';
import { inputShareAad, inputShareInfo } from '../../../crypto/dap/aad.ts';
import { decodeReportExtensions } from '../../../crypto/dap/extensions.ts';
import {
  buildReport,
  openInputShare,
  type ReportTask,
  reportSignature,
  reportSignatureMessage,
  verifyReportSignature,
} from '../../../crypto/dap/report.ts';
import { encodeTaskConfiguration, taskId, vdafContext } from '../../../crypto/dap/task.ts';
import type { AggregatorRole } from '../../../crypto/dap/types.ts';
import {
  decodeReport,
  encodePlaintextInputShare,
  encodeReport,
  type Report,
} from '../../../crypto/dap/upload.ts';
import { HpkePrivateKey, hpkeSeal } from '../../../crypto/hpke.ts';
import { Secret } from '../../../crypto/secret.ts';
import { sodium, sodiumReady } from '../../../crypto/sodium.ts';
import {
  PRIO3_SURVEY,
  prio3Survey,
  survey as surveyCircuit,
} from '../../../crypto/vdaf/circuits/survey.ts';
import { Prio3 } from '../../../crypto/vdaf/prio3.ts';
import { codeOf, expectCode, random } from '../support.ts';

const survey = { chunkLength: 3, blockLengths: [3, 6, 2] };
const vdaf = prio3Survey(survey);
const CHOICES = [2, 0, 1];
const AGGREGATOR_ID = { leader: 0, helper: 1 } as const;
const ROLES = ['leader', 'helper'] as const;

let keys: Readonly<Record<AggregatorRole, HpkePrivateKey>>;
let task: ReportTask;
let seed: Secret<Uint8Array>;

/** What an aggregator has of a report. */
function open(role: AggregatorRole, report: Report, changed: Partial<ReportTask> = {}) {
  const at = { ...task, ...changed };
  return openInputShare(
    keys[role],
    role,
    at.taskId,
    at.taskConfiguration,
    report.metadataBytes,
    report.publicShare,
    report[`${role}EncryptedInputShare`],
  );
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const out = bytes.slice();
  out[bit >> 3] = (out[bit >> 3] as number) ^ (1 << (bit & 7));
  return out;
}

/** The report with another public part, as far as it can be decoded at all. */
function withPublicPart(report: Report, change: Partial<Report>): Report | undefined {
  try {
    return decodeReport(encodeReport({ ...report, ...change }));
  } catch {
    return undefined;
  }
}

beforeAll(sodiumReady);
beforeEach(() => {
  keys = {
    leader: HpkePrivateKey.fromSeed(new Secret(random(32))),
    helper: HpkePrivateKey.fromSeed(new Secret(random(32))),
  };
  const taskConfiguration = encodeTaskConfiguration({
    taskInfo: random(32),
    leaderAggregatorEndpoint: 'https://guardian.example/',
    helperAggregatorEndpoint: 'https://employer.example/',
    timePrecision: 86_400,
    minBatchSize: 10,
    survey,
    taskInterval: { start: 20_000, duration: 14 },
  });
  task = {
    taskId: taskId(taskConfiguration),
    taskConfiguration,
    vdaf,
    leader: { configId: 1, publicKey: keys.leader.publicKey },
    helper: { configId: 2, publicKey: keys.helper.publicKey },
    time: 20_000,
    consent: random(32),
    token: random(354),
  };
  seed = new Secret(random(32));
});

describe('buildReport', () => {
  it('makes a report that both aggregators open, verify and count', () => {
    const { report: bytes, reportId } = buildReport(task, CHOICES, seed, random);
    const report = decodeReport(bytes);
    expect(report.metadata.reportId).toEqual(reportId);
    verifyReportSignature(task.taskId, report);

    const ctx = vdafContext(task.taskId);
    const verifyKey = random(32);
    const inits = ROLES.map((role) =>
      vdaf.verifyInit(
        verifyKey,
        ctx,
        AGGREGATOR_ID[role],
        reportId,
        report.publicShare,
        open(role, report),
      ),
    );
    const message = vdaf.verifierSharesToMessage(
      ctx,
      inits.map((init) => init.verifierShare),
    );
    const shares = inits.map((init) =>
      vdaf.aggregateUpdate(vdaf.aggregateInit(), [vdaf.verifyNext(ctx, init.state, message)]),
    );
    expect(inits.every((init) => init.jointRandPartMatches)).toBe(true);
    expect(vdaf.unshard(shares, 1)).toEqual([0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1]);
  });

  it('is for two aggregators', () => {
    const three = new Prio3(surveyCircuit(survey), PRIO3_SURVEY, { shares: 3 });
    expectCode('invalid_argument', () =>
      buildReport({ ...task, vdaf: three }, CHOICES, seed, random),
    );
  });

  it('puts in what the task and the person gave', () => {
    const { report: bytes, publicKey } = buildReport(task, CHOICES, seed, random);
    const report = decodeReport(bytes);
    expect(report.metadata.time).toBe(20_000);
    expect(report.leaderEncryptedInputShare.configId).toBe(1);
    expect(report.helperEncryptedInputShare.configId).toBe(2);
    const extensions = decodeReportExtensions(
      report.metadata.publicExtensions,
      new Set(['consent', 'token', 'signature']),
    );
    expect(extensions.consent).toEqual(task.consent);
    expect(extensions.token).toEqual(task.token);
    expect(extensions.signature?.subarray(0, 32)).toEqual(publicKey);
    expect(publicKey).toEqual(sodium.crypto_sign_seed_keypair(seed.reveal()).publicKey);
  });

  it('leaves out the extensions that are not given', () => {
    const { consent: _, token: __, ...bare } = task;
    const { report } = buildReport(bare, CHOICES, seed, random);
    expect(decodeReport(report).metadata.publicExtensions).toHaveLength(1);
  });

  it('follows from its randomness alone, and asks for four pieces of it', () => {
    const asked: Uint8Array[] = [];
    const first = buildReport(task, CHOICES, seed, (length) => {
      const piece = random(length);
      asked.push(piece);
      return piece;
    });
    expect(asked.map((piece) => piece.length)).toEqual([16, vdaf.randSize, 64, 64]);
    const again = buildReport(task, CHOICES, seed, () => asked.shift() as Uint8Array);
    expect(again).toEqual(first);
    expect(buildReport(task, CHOICES, seed, random).reportId).not.toEqual(first.reportId);
  });

  it('has the same length for every answer', () => {
    const lengths = [CHOICES, [0, 0, 0], [1, 5, 1]].map(
      (choices) => buildReport(task, choices, seed, random).report.length,
    );
    expect(new Set(lengths).size).toBe(1);
  });

  it('refuses what it cannot put into a report', () => {
    const build = (change: Partial<ReportTask>, choices = CHOICES, signing = seed) =>
      buildReport({ ...task, ...change }, choices, signing, random);
    expectCode('invalid_argument', () => build({ taskId: random(31) }));
    expectCode('invalid_argument', () => build({ consent: random(31) }));
    expectCode('invalid_argument', () => build({ token: random(355) }));
    expectCode('invalid_argument', () => build({ time: -1 }));
    expectCode('invalid_argument', () => build({ leader: { ...task.leader, configId: 256 } }));
    expectCode('invalid_argument', () => build({}, [3, 0, 0]));
    expectCode('invalid_argument', () => build({}, CHOICES, new Secret(random(31))));
    expectCode('hpke_key', () => build({ helper: { configId: 1, publicKey: random(1215) } }));
  });
});

describe('the signature of a report', () => {
  it('signs the label, the task, the metadata without it and the public share', () => {
    const { report: bytes } = buildReport(task, CHOICES, seed, random);
    const report = decodeReport(bytes);
    const zeros = concat(report.metadataBytes.slice(0, -64), new Uint8Array(64));
    expect(reportSignatureMessage(task.taskId, report)).toEqual(
      concat(utf8('chorus report v1'), Uint8Array.of(0), task.taskId, zeros, report.publicShare),
    );
  });

  it('is one that node:crypto verifies too', () => {
    const report = decodeReport(buildReport(task, CHOICES, seed, random).report);
    const { publicKey, signature } = reportSignature(report);
    const x = Buffer.from(publicKey).toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    const message = reportSignatureMessage(task.taskId, report);
    expect(verify(null, message, key, signature)).toBe(true);
  });

  it('does not verify once any bit of task, metadata or public share is another', () => {
    const report = decodeReport(buildReport(task, CHOICES, seed, random).report);
    const { metadataBytes, publicShare } = report;
    for (let bit = 0; bit < 8 * metadataBytes.length; bit += 5) {
      const other = withPublicPart(report, { metadataBytes: flipped(metadataBytes, bit) });
      if (other !== undefined) {
        expectCode('signature', () => verifyReportSignature(task.taskId, other));
      }
    }
    for (let bit = 0; bit < 8 * publicShare.length; bit += 5) {
      const other = withPublicPart(report, { publicShare: flipped(publicShare, bit) });
      expectCode('signature', () => verifyReportSignature(task.taskId, other as Report));
    }
    expectCode('signature', () => verifyReportSignature(flipped(task.taskId, 0), report));
  });

  it('must be there, last and of its size', () => {
    const report = decodeReport(buildReport(task, CHOICES, seed, random).report);
    const [consent, token, signature] = report.metadata.publicExtensions;
    const lists = [
      [],
      [consent, token],
      [signature, consent],
      [{ extensionType: 0xff03, extensionData: random(95) }],
    ];
    for (const publicExtensions of lists) {
      const metadata = { ...report.metadata, publicExtensions } as Report['metadata'];
      expectCode('signature', () => verifyReportSignature(task.taskId, { ...report, metadata }));
      expectCode('signature', () => reportSignatureMessage(task.taskId, { ...report, metadata }));
    }
  });

  it('under a key of low order is refused, though it would hold for every message', () => {
    const report = decodeReport(buildReport(task, CHOICES, seed, random).report);
    const neutral = concat(Uint8Array.of(1), new Uint8Array(31));
    const forged = concat(report.metadataBytes.slice(0, -96), neutral, neutral, new Uint8Array(32));
    const other = withPublicPart(report, { metadataBytes: forged }) as Report;
    expectCode('signature', () => verifyReportSignature(task.taskId, other));
  });
});

describe('a report altered at any one byte', () => {
  /** Where the fields of an encoded report end, from its front. */
  function regions(report: Report): [name: string, end: number][] {
    const sealed = (role: AggregatorRole): [string, number][] => {
      const { enc, payload } = report[`${role}EncryptedInputShare`];
      return [
        [`${role} config id`, 1],
        ['length', 2],
        [`${role} seal`, enc.length],
        ['length', 4],
        [`${role} seal`, payload.length],
      ];
    };
    const sizes: [string, number][] = [
      ['metadata', report.metadataBytes.length],
      ['length', 4],
      ['public share', report.publicShare.length],
      ...sealed('leader'),
      ...sealed('helper'),
    ];
    let end = 0;
    return sizes.map(([name, size]) => {
      end += size;
      return [name, end];
    });
  }

  /**
   * What comes of each field: metadata and public share are under the signature and under both
   * seals; a length makes it no report, or another one; a seal does not open. The config id alone
   * is harmless: it is a hint as to which key to try, and whoever holds that key opens the same.
   */
  const EXPECTED: Readonly<Record<string, readonly string[]>> = {
    metadata: ['decode', 'signature, leader hpke_open, helper hpke_open'],
    'public share': ['signature, leader hpke_open, helper hpke_open'],
    length: ['decode'],
    'leader config id': ['harmless'],
    'leader seal': ['leader hpke_open'],
    'helper config id': ['harmless'],
    'helper seal': ['helper hpke_open'],
  };

  it('is refused, or the same report', () => {
    const { report: whole } = buildReport(task, CHOICES, seed, random);
    const fields = regions(decodeReport(whole));
    expect(fields.at(-1)?.[1]).toBe(whole.length);
    const outcome = (altered: Uint8Array): string => {
      let report: Report | undefined;
      const undecodable = codeOf(() => {
        report = decodeReport(altered);
      });
      if (report === undefined) return undecodable ?? 'nothing';
      const checked = report;
      const refusals = [
        codeOf(() => verifyReportSignature(task.taskId, checked)),
        ...ROLES.map((role) => {
          const code = codeOf(() => open(role, checked));
          return code && `${role} ${code}`;
        }),
      ];
      return refusals.filter(Boolean).join(', ') || 'harmless';
    };
    expect(outcome(whole)).toBe('harmless');
    for (let at = 0; at < whole.length; at++) {
      const [name] = fields.find(([, end]) => at < end) as [string, number];
      // Of the long seals every eleventh byte.
      if (name.endsWith('seal') && at % 11 > 0) continue;
      const result = outcome(flipped(whole, 8 * at + (at % 8)));
      expect(EXPECTED[name], `byte ${at}, ${name}: ${result}`).toContain(result);
    }
  });
});

describe('openInputShare', () => {
  it('opens for the right role, task, configuration and report only', () => {
    const report = decodeReport(buildReport(task, CHOICES, seed, random).report);
    expect(open('leader', report).reveal().length).toBe(vdaf.inputShareSize(0));
    expect(open('helper', report).reveal().length).toBe(vdaf.inputShareSize(1));
    const swapped = { ...report, leaderEncryptedInputShare: report.helperEncryptedInputShare };
    expectCode('hpke_open', () => open('leader', swapped));
    expectCode('hpke_open', () => open('leader', report, { taskId: flipped(task.taskId, 9) }));
    for (let bit = 0; bit < 8 * task.taskConfiguration.length; bit += 31) {
      const taskConfiguration = flipped(task.taskConfiguration, bit);
      expectCode('hpke_open', () => open('helper', report, { taskConfiguration }));
    }
    for (let bit = 0; bit < 8 * report.metadataBytes.length; bit += 31) {
      const metadataBytes = flipped(report.metadataBytes, bit);
      expectCode('hpke_open', () => open('leader', { ...report, metadataBytes }));
    }
    for (let bit = 0; bit < 8 * report.publicShare.length; bit += 31) {
      const publicShare = flipped(report.publicShare, bit);
      expectCode('hpke_open', () => open('helper', { ...report, publicShare }));
    }
  });

  it.each<[string, Uint8Array]>([
    [
      'private extensions',
      encodePlaintextInputShare({
        privateExtensions: [{ extensionType: 0xff01, extensionData: new Uint8Array(32) }],
        payload: Uint8Array.of(1),
      }),
    ],
    ['nothing', new Uint8Array(0)],
    ['an empty share', new Uint8Array(6)],
    ['a trailing byte', Uint8Array.of(0, 0, 0, 0, 0, 1, 7, 0)],
  ])('refuses a plaintext with %s', (_, plaintext) => {
    const report = decodeReport(buildReport(task, CHOICES, seed, random).report);
    const { metadataBytes, publicShare } = report;
    const { enc, ciphertext } = hpkeSeal(
      keys.leader.publicKey,
      inputShareInfo('leader'),
      inputShareAad(task.taskId, task.taskConfiguration, metadataBytes, publicShare),
      plaintext,
      random(64),
    );
    const leaderEncryptedInputShare = { configId: 1, enc, payload: ciphertext };
    expectCode('decode', () => open('leader', { ...report, leaderEncryptedInputShare }));
  });

  it('gives a share that is not printed', () => {
    const report = decodeReport(buildReport(task, CHOICES, seed, random).report);
    expect(JSON.stringify(open('helper', report))).toBe('"[secret]"');
    expect(toHex(open('helper', report).reveal())).toHaveLength(2 * 64);
  });
});
