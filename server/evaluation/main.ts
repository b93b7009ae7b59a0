import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sodiumReady } from '../../crypto/sodium.ts';
import { type Checklist, checklist, silentChecklist } from './checklist.ts';
import { readSample, sampleStaff } from './company.ts';
import { MailSink } from './mail-sink.ts';
import { pairParties } from './pairing.ts';
import { PartyHandle } from './party-handle.ts';
import { makeSample } from './sample.ts';
import { prepareFolder, readSettings, type Settings, SettingsError } from './settings.ts';

/** Two host names for one machine: cookies ignore ports. */
const HOSTS = { guardian: 'localhost', employer: '127.0.0.1' } as const;
const LISTEN = '127.0.0.1';
/** What the evaluation's mail server has taken, in the data folder. */
const MAIL_FILE = 'mail.jsonl';

try {
  await run(readSettings(process.argv.slice(2), process.env));
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  console.error(`Chorus: ${error.message}`);
  process.exitCode = 1;
}

async function run(settings: Settings): Promise<void> {
  await requireFree(settings.guardianPort, 'CHORUS_GUARDIAN_PORT');
  await requireFree(settings.employerPort, 'CHORUS_EMPLOYER_PORT');
  const state = prepareFolder(settings);
  const out: Checklist = settings.json ? silentChecklist : checklist(process.stdout);
  await sodiumReady();
  const urls = {
    guardian: `http://${HOSTS.guardian}:${settings.guardianPort}`,
    employer: `http://${HOSTS.employer}:${settings.employerPort}`,
  };
  const project = fileURLToPath(new URL('../../../', import.meta.url));
  const sample = readSample(join(project, 'server/evaluation/sample.json'));
  const names = sample.sheet.notice as { guardian: string; employer: string };
  out.say('\nChorus: an evaluation with both parties on this machine.\n');
  pairParties(settings.data, urls);
  out.done('Keys made, parties paired');
  const mailFile = join(settings.data, MAIL_FILE);
  const sink = await MailSink.start(mailFile, LISTEN);
  const start = (party: 'guardian' | 'employer', port: number) =>
    PartyHandle.start({
      party,
      folder: join(settings.data, party),
      url: urls[party],
      host: LISTEN,
      port,
      names: { guardian: names.guardian, employer: names.employer },
      mail: { port: sink.port, file: mailFile },
    });
  const [guardian, employer] = await Promise.all([
    start('guardian', settings.guardianPort),
    start('employer', settings.employerPort),
  ]);
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    out.say('\nStopping both parties …');
    await Promise.all([guardian.stop(), employer.stop()]);
    out.say('Stopped. npm start goes on from here.');
    process.exit(0);
  };
  process.on('SIGINT', () => void stop());
  process.on('SIGTERM', () => void stop());
  for (const [party, name] of [
    [guardian, 'guardian'],
    [employer, 'employer'],
  ] as const) {
    void party.exited.then(async () => {
      if (stopping) return;
      stopping = true;
      console.error(`\nThe ${name} ended unexpectedly; see its log in ${settings.data}/${name}.`);
      await Promise.all([guardian.stop(), employer.stop()]);
      process.exit(1);
    });
  }
  const staff = sampleStaff(sample);
  const [manager, admin, representative] = (await Promise.all([
    employer.request({ kind: 'link', person: staff.manager }),
    employer.request({ kind: 'link', person: staff.admin }),
    guardian.request({ kind: 'link', person: staff.guardian }),
  ])) as [string, string, string];
  out.done(`Manager:  ${manager}`);
  out.done(`Admin:    ${admin}`);
  out.done(`Guardian: ${representative}`);
  let employee: string;
  try {
    employee = await makeSample({
      guardian,
      employer,
      urls,
      sample,
      state,
      checklist: out,
    });
  } catch (error) {
    if (stopping) return;
    throw error;
  }
  const mail = `${urls.employer}/evaluation/mail`;
  out.done(`Employee: ${employee}`);
  out.done(`Mail:     ${mail}`);
  out.say(`
Answer as an employee (or as any other, by their mail), then close the round on the guardian's page and see the trend.
The links of manager, admin and guardian sign in, and work more than once until you stop.
  Data   ${settings.data}
  Stop   Ctrl-C
  Resume npm start
  Reset  npm start -- --fresh
`);
  if (settings.json) {
    const links = { employee, mail, manager, admin, guardian: representative };
    console.log(JSON.stringify({ ...urls, links }));
  }
}

/** @throws SettingsError naming the variable that chooses another port */
function requireFree(port: number, variable: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', () => {
      reject(new SettingsError(`port ${port} is taken; choose another one with ${variable}`));
    });
    probe.listen(port, LISTEN, () => probe.close(() => resolve()));
  });
}
