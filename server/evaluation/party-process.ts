import { fileURLToPath } from 'node:url';
import { fromBase64url, toBase64url } from '../../crypto/bytes.ts';
import { type Employer, startEmployer } from '../employer/employer.ts';
import { type Guardian, startGuardian } from '../guardian/guardian.ts';
import { smtpMailer } from '../mail/smtp.ts';
import { type Party, type PartyConfig, systemRandomness } from '../party.ts';
import { EvaluationClock } from './clock.ts';
import { readReceived } from './mail-sink.ts';
import type {
  PartyReply,
  PartyRequest,
  PartyStart,
  RoundStanding,
  SampleCode,
} from './messages.ts';

/**
 * One party of the evaluation in a process of its own. Its clock is moved over the channel from the
 * process that started it, and by nothing that arrives over HTTP.
 */
const start = JSON.parse(process.argv[2] as string) as PartyStart;
const clock = new EvaluationClock();
const project = fileURLToPath(new URL('../../../', import.meta.url));

/** Where this party's mail goes: to the evaluation's mail server, and never from the sample's past. */
function mailOf(mail: { port: number; file: string }) {
  const name = start.names[start.party].replaceAll(/["\\]/g, '');
  const url = `smtp://127.0.0.1:${mail.port}`;
  return {
    mailer: {
      ...smtpMailer({ url, from: `"${name}" <${start.party}@chorus.example>` }),
      ready: () => clock.isLive,
    },
    evaluationMail: () => readReceived(mail.file),
  };
}

const config: PartyConfig = {
  folder: start.folder,
  url: start.url,
  host: start.host,
  port: start.port,
  names: start.names,
  evaluation: true,
  timeZone: 'UTC',
  planDaysAhead: 1,
  clock,
  // People sign in now, whatever day the sample has come to.
  staffClock: { now: () => Date.now() },
  ...(start.mail && mailOf(start.mail)),
  randomness: systemRandomness,
  fetch,
  migrations: `${project}migrations`,
  pages: { views: `${project}views`, assets: `${project}dist/assets` },
  intervalMs: 200,
};

// Ctrl-C reaches the whole process group; the process that started this one says when to stop.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

let queue: Promise<void> = Promise.resolve();

function reply(message: PartyReply): void {
  if (process.connected) process.send?.(message);
}

function failed(error: unknown): PartyReply {
  const { name, message } = error as Error;
  return { kind: 'failed', name, message };
}

try {
  const party: Party =
    start.party === 'guardian' ? await startGuardian(config) : await startEmployer(config);
  process.on('message', (request: PartyRequest) => {
    queue = queue
      .then(() => answer(party, request))
      .then(
        (value) => reply({ kind: 'done', value }),
        (error) => reply(failed(error)),
      );
  });
  process.on('disconnect', () => void stop(party));
  reply({ kind: 'ready', port: party.port });
} catch (error) {
  reply(failed(error));
  process.exit(1);
}

async function answer(party: Party, request: PartyRequest): Promise<unknown> {
  switch (request.kind) {
    case 'clock':
      if (request.toMs === null) clock.live();
      else clock.advance(request.toMs);
      party.nudge();
      return undefined;
    case 'preparing':
      party.setPreparing(request.preparing);
      return undefined;
    case 'plan':
      return toBase64url(
        await (party as Guardian).plan({
          number: request.number,
          sheetHash: fromBase64url(request.sheetHash),
          days: request.days,
        }),
      );
    case 'roster':
      (party as Employer).importRoster(request.people);
      return undefined;
    case 'submit':
      return toBase64url((party as Employer).submit(request.sheet));
    case 'approve':
      return (party as Guardian).approve(fromBase64url(request.sheetHash));
    case 'token-keys':
      return (party as Employer).prepareTokenKeys(request.rounds, request.groups);
    case 'codes':
      return (party as Employer).codes(request.round).map(
        ({ email, groupIndex, code }): SampleCode => ({
          email,
          groupIndex,
          code: toBase64url(code),
        }),
      );
    case 'link':
      return party.evaluationLink(request.person);
    case 'rounds':
      return party.rounds().map(
        ({ round, groups }): RoundStanding => ({
          number: round.number,
          manifestHash: toBase64url(round.manifestHash),
          state: round.state,
          signed: round.employerSignature !== null,
          closesMs: round.closesMs,
          finished: round.listEmployerSignature !== null,
          groups: Object.values(groups).reduce((sum, count) => sum + count, 0),
          groupsDone: groups.confirmed + groups.withheld,
        }),
      );
    case 'stop':
      await stop(party);
      return undefined;
  }
}

async function stop(party: Party): Promise<void> {
  await party.close();
  process.exit(0);
}
