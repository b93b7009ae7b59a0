import type { AddressInfo } from 'node:net';
import { sodiumReady } from '../../crypto/sodium.ts';
import { RoundKeyFiles } from '../aggregator/round-keys.ts';
import { Contexts } from '../aggregator/task-context.ts';
import { createApp, errorHandler } from '../http/app.ts';
import {
  answerFragment,
  messagePage,
  type PageSource,
  sharedPages,
  usePages,
} from '../http/pages.ts';
import { Refusal } from '../http/refusal.ts';
import { listen } from '../http/serve.ts';
import {
  closeParty,
  openParty,
  type Party,
  type PartyConfig,
  PartyWork,
  standings,
} from '../party.ts';
import { HelperJobStore } from '../storage/helper-jobs.ts';
import { collectGroups, revealGroups } from './collect.ts';
import type { EmployerParts } from './parts.ts';
import { deleteSpentKeys, followSchedule } from './rounds.ts';
import { helperRoutes } from './routes/dap.ts';
import { roundRoutes } from './routes/rounds.ts';
import { announceWithheld, withholdOverdue } from './withhold.ts';

/**
 * The employer: DAP Helper and Collector.
 * @throws PortTaken
 */
export async function startEmployer(config: PartyConfig): Promise<Party> {
  await sodiumReady();
  const base = openParty('employer', config);
  const parts: EmployerParts = {
    ...base,
    helperJobs: new HelperJobStore(base.db),
    contexts: new Contexts(base.rounds),
    roundKeys: new RoundKeyFiles(base.keyFiles, 'helper'),
    earlyClose: config.evaluation,
  };
  const work = new PartyWork(
    base,
    'guardian',
    [
      { name: 'follow the schedule', run: () => followSchedule(parts) },
      { name: 'collect', run: () => collectGroups(parts) },
      { name: 'reveal', run: () => revealGroups(parts) },
      // After collecting: what the guardian has noised should still arrive.
      { name: 'withhold what is overdue', run: () => withholdOverdue(parts) },
      { name: 'announce withheld groups', run: () => announceWithheld(parts) },
      { name: 'delete spent keys', run: () => deleteSpentKeys(parts) },
    ],
    config.intervalMs,
  );
  const nudge = () => work.clockwork.nudge();
  let preparing: ReturnType<PageSource['preparing']> = null;
  const source: PageSource = {
    party: 'employer',
    names: config.names,
    evaluation: config.evaluation,
    stores: base,
    answerLink: (round) =>
      new URL(`/answer${answerFragment(0, round.manifestHash)}`, base.pairing.url).href,
    waitingFor() {
      if (work.away) return 'guardian';
      return base.tasks.inState('noised').length > 0 ? 'employer' : null;
    },
    preparing: () => preparing,
  };
  const app = createApp();
  usePages(app, config.pages);
  app.use(helperRoutes(parts, nudge));
  app.use(roundRoutes(parts, nudge));
  sharedPages(app, source);
  app.use(() => {
    throw new Refusal('notFound');
  });
  app.use(errorHandler(base.log, (refusal) => messagePage(source, refusal)));
  const server = await listen(app, config.host, config.port);
  work.clockwork.start();
  return {
    port: (server.address() as AddressInfo).port,
    nudge,
    rounds: () => standings(base),
    setPreparing: (value) => {
      preparing = value;
    },
    close: () => closeParty(base, work, server),
  };
}
