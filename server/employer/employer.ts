import type { AddressInfo } from 'node:net';
import { sha256 } from '../../crypto/sha256.ts';
import type { Sheet } from '../../crypto/sheet.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import { settleAccount } from '../aggregator/account.ts';
import { RoundKeyFiles } from '../aggregator/round-keys.ts';
import { Contexts } from '../aggregator/task-context.ts';
import type { Person } from '../domain/roster.ts';
import { accountPage } from '../http/account.ts';
import { createApp, errorHandler } from '../http/app.ts';
import { guard } from '../http/guard.ts';
import { hpkeConfigRoute } from '../http/hpke-config.ts';
import { inventoryRoutes } from '../http/inventory.ts';
import { messagePage, type PageSource, readAsset, sharedPages, usePages } from '../http/pages.ts';
import { Refusal } from '../http/refusal.ts';
import { listen } from '../http/serve.ts';
import { signInRoutes } from '../http/sign-in.ts';
import { StaffDesk } from '../http/staff-desk.ts';
import { Clockwork } from '../jobs/clockwork.ts';
import { OneAtATime } from '../jobs/one-at-a-time.ts';
import { Sweeper } from '../jobs/sweep.ts';
import { InvitationWriter } from '../mail/invitation-mail.ts';
import {
  closeParty,
  openParty,
  type Party,
  type PartyConfig,
  PartyWork,
  standings,
} from '../party.ts';
import { CountedTokenStore } from '../storage/counted-tokens.ts';
import { HelperJobStore } from '../storage/helper-jobs.ts';
import { InvitationStore } from '../storage/invitations.ts';
import { MailQueue } from '../storage/mail-queue.ts';
import { RosterStore } from '../storage/roster.ts';
import { collectGroups, revealGroups } from './collect.ts';
import { invitationCode, readInvitationSecret } from './invitation-codes.ts';
import { endInvitations, inviteOnTime } from './invitations.ts';
import type { EmployerParts } from './parts.ts';
import { Postman } from './postman.ts';
import { hearRetention, RetentionCheck, sendRetention } from './retention.ts';
import { deleteSpentKeys, followSchedule } from './rounds.ts';
import { helperRoutes } from './routes/dap.ts';
import { evaluationMail } from './routes/evaluation-mail.ts';
import { retentionRoutes } from './routes/retention.ts';
import { roundRoutes } from './routes/rounds.ts';
import { surveyRoutes } from './routes/surveys.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { groupsOf } from './seen.ts';
import { draftSheet, hearDecisions, submitSheets, whatIsNext } from './sheets.ts';
import { TokenKeyMaking } from './token-key-making.ts';
import { TokenKeys } from './token-keys.ts';
import { announceWithheld, withholdOverdue } from './withhold.ts';

export interface Employer extends Party {
  /** Submits a sheet to the guardian. @returns its hash */
  submit(sheet: Sheet): Uint8Array;
  /** Replaces the roster. */
  importRoster(people: readonly Person[]): void;
  /** Makes the token keys of rounds ahead of their planning. @returns whether all are there */
  prepareTokenKeys(rounds: readonly number[], groups: number): Promise<boolean>;
  /** The code that each person's invitation has now; none once the round is closed. */
  codes(round: number): PersonalCode[];
}

/** Whose code is which: leaves this party by mail only, or in an evaluation to the sample people. */
export interface PersonalCode {
  readonly email: string;
  readonly groupIndex: number;
  /** 16 bytes. */
  readonly code: Uint8Array;
}

/** What the employer works with, without serving anything: for single commands too. */
export async function openEmployer(config: PartyConfig): Promise<EmployerParts> {
  await sodiumReady();
  const base = openParty('employer', config);
  const { newTokenKey } = config;
  const tokenKeys = new TokenKeys(
    base.keyFiles,
    newTokenKey && (() => ({ next: newTokenKey, stop: async () => {} })),
  );
  return {
    ...base,
    helperJobs: new HelperJobStore(base.db),
    countedTokens: new CountedTokenStore(base.db),
    roster: new RosterStore(base.db),
    invitations: new InvitationStore(base.db),
    mailQueue: new MailQueue(base.db),
    contexts: new Contexts(base.rounds, base.sheets),
    roundKeys: new RoundKeyFiles(base.keyFiles, 'helper'),
    scriptHash: () => sha256(readAsset(config.pages, 'answer.js')),
    tokenKeys,
    tokenKeyMaking: new TokenKeyMaking(tokenKeys, base.log),
    signing: new OneAtATime(),
    counting: new OneAtATime(),
    evaluation: config.evaluation,
  };
}

/**
 * The employer: DAP Helper and Collector.
 * @throws PortTaken
 */
export async function startEmployer(config: PartyConfig): Promise<Employer> {
  const parts = await openEmployer(config);
  const desk = new StaffDesk(parts, 'employer', config);
  parts.keyFiles.wipeDrafts();
  const sweeper = new Sweeper(parts, () => (config.staffClock ?? parts.clock).now());
  const retentionCheck = new RetentionCheck(parts);
  const work = new PartyWork(
    parts,
    'guardian',
    [
      { name: 'submit sheets', run: () => submitSheets(parts) },
      { name: 'hear decisions', run: () => hearDecisions(parts) },
      { name: 'send retention settings', run: () => sendRetention(parts, retentionCheck) },
      { name: 'hear of retention settings', run: () => hearRetention(parts) },
      { name: 'follow the schedule', run: () => followSchedule(parts) },
      { name: 'invite', run: () => inviteOnTime(parts) },
      { name: 'end invitations', run: () => endInvitations(parts) },
      { name: 'collect', run: () => collectGroups(parts) },
      { name: 'reveal', run: () => revealGroups(parts) },
      // After collecting: what the guardian has noised should still arrive.
      { name: 'withhold what is overdue', run: () => withholdOverdue(parts) },
      { name: 'announce withheld groups', run: () => announceWithheld(parts) },
      { name: 'delete spent keys', run: () => deleteSpentKeys(parts) },
      { name: 'settle the account', run: () => settleAccount(parts) },
      { name: 'delete what is past its retention', run: () => sweeper.run() },
    ],
    config.intervalMs,
  );
  const postman = new Postman(parts, config.mailer, new InvitationWriter(config.pages.views));
  // By itself, since a large company's mail takes hours.
  let mailFailure: string | undefined;
  const post = new Clockwork(
    [
      {
        name: 'send mail',
        async run() {
          const progress = await postman.deliver();
          if (progress) mailFailure = undefined;
          return progress;
        },
      },
    ],
    config.intervalMs,
    (_step, error) => {
      const { message } = error as Error;
      if (message !== mailFailure) parts.log.error({ err: error }, 'mail was not sent');
      mailFailure = message;
    },
  );
  const nudge = () => {
    work.clockwork.nudge();
    post.nudge();
  };
  let preparing: ReturnType<PageSource['preparing']> = null;
  const source: PageSource = {
    party: 'employer',
    names: config.names,
    evaluation: config.evaluation,
    stores: parts,
    mailPage: '/evaluation/mail',
    waitingFor() {
      if (work.away) return 'guardian';
      return parts.tasks.inState('noised').length > 0 ? 'employer' : null;
    },
    preparing: () => preparing,
    next: () => [...whatIsNext(parts), ...postman.sentences()],
    failures: () => [
      ...work.failures,
      // Mail of a round that was closed meanwhile waits no more.
      ...(mailFailure === undefined || postman.sentences().length === 0
        ? []
        : [`Could not send mail: ${mailFailure}.`]),
    ],
    groupsFor: (staff, round) => groupsOf(parts, staff, round),
  };
  const app = createApp();
  usePages(app, config.pages);
  app.use(guard('employer', desk, config.evaluation));
  app.use(tokenRoutes(parts));
  app.use(helperRoutes(parts, nudge));
  app.use(roundRoutes(parts, nudge));
  hpkeConfigRoute(app, () =>
    parts.rounds
      .inState('open')
      .map((round) => parts.contexts.round(round.manifestHash).head.employer.hpke),
  );
  sharedPages(app, source);
  accountPage(app, source);
  app.use(surveyRoutes(parts, source));
  app.use(retentionRoutes(parts, source, nudge));
  app.use(inventoryRoutes(source, parts.logPath));
  if (config.evaluation) {
    app.use(evaluationMail(parts, source, config.evaluationMail ?? (() => [])));
  }
  app.use(signInRoutes(desk, source));
  app.use(() => {
    throw new Refusal('notFound');
  });
  app.use(errorHandler(parts.log, (refusal) => messagePage(source, refusal)));
  const server = await listen(app, config.host, config.port);
  work.clockwork.start();
  post.start();
  return {
    port: (server.address() as AddressInfo).port,
    nudge,
    rounds: () => standings(parts),
    setPreparing: (value) => {
      preparing = value;
    },
    evaluationLink: (person) => desk.evaluationLink(person),
    submit(sheet) {
      const hash = draftSheet(parts, sheet);
      nudge();
      return hash;
    },
    importRoster(people) {
      parts.roster.replace(people, parts.roster.version());
    },
    async prepareTokenKeys(rounds, groups) {
      const keys = await Promise.all(
        rounds.map((round) => parts.tokenKeyMaking.ask(round, groups)),
      );
      return keys.every((made) => typeof made !== 'number');
    },
    codes(round) {
      const secret = readInvitationSecret(parts.keyFiles, round);
      if (secret === undefined) return [];
      return parts.invitations.invitees(round).map(({ person, email, groupIndex, issue }) => ({
        email,
        groupIndex,
        code: invitationCode(secret, person, issue),
      }));
    },
    async close() {
      await Promise.all([parts.tokenKeyMaking.stop(), post.stop()]);
      config.mailer?.close?.();
      await closeParty(parts, work, server);
    },
  };
}
