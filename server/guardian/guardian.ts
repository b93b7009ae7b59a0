import type { AddressInfo } from 'node:net';
import { sodiumReady } from '../../crypto/sodium.ts';
import { settleAccount } from '../aggregator/account.ts';
import { RoundKeyFiles } from '../aggregator/round-keys.ts';
import { Contexts } from '../aggregator/task-context.ts';
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
import { Sweeper } from '../jobs/sweep.ts';
import {
  closeParty,
  openParty,
  type Party,
  type PartyConfig,
  PartyWork,
  standings,
} from '../party.ts';
import { BoxStore } from '../storage/box.ts';
import { CollectionJobStore } from '../storage/collection-jobs.ts';
import { ScriptStore } from '../storage/scripts.ts';
import { countLots } from './count.ts';
import { finishRounds } from './finish.ts';
import type { GuardianParts } from './parts.ts';
import { planRound, type RoundPlan } from './plan.ts';
import { releaseGroups, sealGroups } from './release.ts';
import { closeDueRounds, drawLots, openDueRounds, tellEarlyCloses } from './rounds.ts';
import { collectionRoutes } from './routes/collection-jobs.ts';
import { manifestRoutes } from './routes/manifests.ts';
import { pageRoutes } from './routes/pages.ts';
import { peerRetentionRoutes } from './routes/peer-retention.ts';
import { peopleRoutes } from './routes/people.ts';
import { reportRoutes } from './routes/reports.ts';
import { retentionRoutes } from './routes/retention.ts';
import { sheetRoutes } from './routes/sheets.ts';
import { surveyRoutes } from './routes/surveys.ts';
import { planDueRounds, whatIsNext } from './schedule.ts';
import { approveSheet, retireSheets } from './sheets.ts';
import { announceWithheld, withholdOverdue } from './withhold.ts';

export interface Guardian extends Party {
  /** Plans a round with the employer; repeatable. @returns the manifest hash */
  plan(plan: RoundPlan): Promise<Uint8Array>;
  /** Approves a submitted sheet. @returns whether it is approved now; false if it is not here */
  approve(sheetHash: Uint8Array): boolean;
}

/** What the guardian works with, without serving anything: for single commands too. */
export async function openGuardian(config: PartyConfig): Promise<GuardianParts> {
  await sodiumReady();
  const base = openParty('guardian', config);
  return {
    ...base,
    box: new BoxStore(base.db),
    collectionJobs: new CollectionJobStore(base.db),
    contexts: new Contexts(base.rounds, base.sheets),
    roundKeys: new RoundKeyFiles(base.keyFiles, 'leader'),
    scripts: new ScriptStore(base.db),
    script: readAsset(config.pages, 'answer.js'),
    timeZone: config.timeZone,
    planDaysAhead: config.planDaysAhead,
    evaluation: config.evaluation,
  };
}

/**
 * The guardian: DAP Leader, sealed box, gate of every release.
 * @throws PortTaken
 */
export async function startGuardian(config: PartyConfig): Promise<Guardian> {
  const parts = await openGuardian(config);
  const desk = new StaffDesk(parts, 'guardian', config);
  parts.keyFiles.wipeDrafts();
  const sweeper = new Sweeper(parts, () => (config.staffClock ?? parts.clock).now());
  const work = new PartyWork(
    parts,
    'employer',
    [
      { name: 'retire sheets', run: () => retireSheets(parts) },
      { name: 'close rounds', run: () => closeDueRounds(parts) },
      { name: 'draw lots', run: () => drawLots(parts) },
      { name: 'withhold what is overdue', run: () => withholdOverdue(parts) },
      { name: 'tell the employer that a round is closed', run: () => tellEarlyCloses(parts) },
      { name: 'plan rounds', run: () => planDueRounds(parts, plan) },
      { name: 'open rounds', run: () => openDueRounds(parts) },
      { name: 'announce withheld groups', run: () => announceWithheld(parts) },
      { name: 'count', run: () => countLots(parts) },
      { name: 'seal', run: () => sealGroups(parts) },
      { name: 'release', run: () => releaseGroups(parts) },
      { name: 'finish rounds', run: () => finishRounds(parts) },
      { name: 'settle the account', run: () => settleAccount(parts) },
      { name: 'delete what is past its retention', run: () => sweeper.run() },
    ],
    config.intervalMs,
  );
  /** Who asks for a round that is being planned waits for the same plan. */
  const underWay = new Map<number, Promise<Uint8Array>>();
  const plan = (round: RoundPlan): Promise<Uint8Array> => {
    const planned =
      underWay.get(round.number) ??
      planRound(parts, round).finally(() => underWay.delete(round.number));
    underWay.set(round.number, planned);
    return planned;
  };
  const nudge = () => work.clockwork.nudge();
  let preparing: ReturnType<PageSource['preparing']> = null;
  const source: PageSource = {
    party: 'guardian',
    names: config.names,
    evaluation: config.evaluation,
    stores: parts,
    mailPage: new URL('/evaluation/mail', parts.pairing.url).href,
    // A sealed group waits to be asked for, a noised one for the other half.
    waitingFor: () =>
      work.away || [...parts.tasks.inState('sealed'), ...parts.tasks.inState('noised')].length > 0
        ? ('employer' as const)
        : null,
    preparing: () => preparing,
    next: () => whatIsNext(parts),
    failures: () => work.failures,
  };
  const app = createApp();
  usePages(app, config.pages);
  app.use(guard('guardian', desk, config.evaluation));
  app.use(reportRoutes(parts));
  app.use(peopleRoutes(parts));
  app.use(collectionRoutes(parts, nudge));
  app.use(manifestRoutes(parts));
  app.use(sheetRoutes(parts));
  app.use(peerRetentionRoutes(parts, nudge));
  hpkeConfigRoute(app, () =>
    parts.rounds
      .inState('open')
      .map((round) => parts.contexts.round(round.manifestHash).head.guardian.hpke),
  );
  sharedPages(app, source);
  app.use(pageRoutes(parts, source, nudge));
  app.use(surveyRoutes(parts, source, nudge));
  accountPage(app, source);
  app.use(retentionRoutes(parts, source, nudge));
  app.use(inventoryRoutes(source, parts.logPath));
  app.use(signInRoutes(desk, source));
  app.use(() => {
    throw new Refusal('notFound');
  });
  app.use(errorHandler(parts.log, (refusal) => messagePage(source, refusal)));
  const server = await listen(app, config.host, config.port);
  work.clockwork.start();
  return {
    port: (server.address() as AddressInfo).port,
    nudge,
    rounds: () => standings(parts),
    setPreparing: (value) => {
      preparing = value;
    },
    plan,
    evaluationLink: (person) => desk.evaluationLink(person),
    approve(sheetHash) {
      if (parts.sheets.withHash(sheetHash)?.state === 'submitted') approveSheet(parts, sheetHash);
      nudge();
      return parts.sheets.withHash(sheetHash)?.state === 'approved';
    },
    close: () => closeParty(parts, work, server),
  };
}
