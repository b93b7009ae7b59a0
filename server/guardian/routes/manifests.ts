import { Router } from 'express';
import { toBase64url } from '../../../crypto/bytes.ts';
import { MerkleTree } from '../../../crypto/merkle.ts';
import { Refusal } from '../../http/refusal.ts';
import { pathBytes } from '../../http/schema.ts';
import type { Round } from '../../storage/rounds.ts';
import type { Task } from '../../storage/tasks.ts';
import type { GuardianParts } from '../parts.ts';

/** What anyone may read of a round: its signed manifest, its sheet, and its list for receipts. */
export function manifestRoutes(parts: GuardianParts): Router {
  const router = Router();
  const trees = new Map<string, MerkleTree>();

  router.get('/manifests/:hash', (request, response) => {
    const round = roundOf(parts, request.params.hash);
    response.json({
      head: toBase64url(round.head),
      guardian_signature: toBase64url(round.guardianSignature as Buffer),
      employer_signature: toBase64url(round.employerSignature as Buffer),
      state: round.state === 'expired' ? 'closed' : round.state,
    });
  });

  router.get('/manifests/:hash/entries', (request, response) => {
    const round = roundOf(parts, request.params.hash);
    const tasks = parts.tasks.ofRound(round.manifestHash);
    if (tasks.length === 0) throw new Refusal('retentionOver');
    response.json({ entries: tasks.map((task) => toBase64url(task.entry)) });
  });

  router.get('/manifests/:hash/entries/:index', (request, response) => {
    const round = roundOf(parts, request.params.hash);
    const { hash, index } = request.params;
    const task = /^(0|[1-9]\d{0,6})$/.test(index)
      ? parts.tasks.ofGroup(round.manifestHash, Number(index))
      : undefined;
    if (task === undefined && parts.tasks.ofGroup(round.manifestHash, 0) === undefined) {
      throw new Refusal('retentionOver');
    }
    if (task === undefined) throw new Refusal('notFound');
    let tree = trees.get(hash);
    if (tree === undefined) {
      const entries = parts.tasks.ofRound(round.manifestHash).map(({ entry }) => entry);
      tree = new MerkleTree(entries);
      trees.set(hash, tree);
    }
    response.json({
      entry: toBase64url(task.entry),
      path: tree.inclusionPath(task.groupIndex).map(toBase64url),
    });
  });

  router.get('/manifests/:hash/groups', (request, response) => {
    const round = roundOf(parts, request.params.hash);
    response.json({
      groups: parts.tasks.ofRound(round.manifestHash).map((task) => ({
        index: task.groupIndex,
        state: groupState(round, task),
        reason: task.withheldReason,
      })),
    });
  });

  router.get('/manifests/:hash/list', (request, response) => {
    const round = roundOf(parts, request.params.hash);
    if (round.listRoot === null) throw new Refusal('notYet', 'the round is not finished');
    if (parts.rounds.slice(round.manifestHash, 0) === undefined) {
      throw new Refusal('retentionOver');
    }
    response.json({
      root: toBase64url(round.listRoot),
      guardian_signature: toBase64url(round.listGuardianSignature as Buffer),
      employer_signature: toBase64url(round.listEmployerSignature as Buffer),
    });
  });

  router.get('/manifests/:hash/list/:slice', (request, response) => {
    const round = roundOf(parts, request.params.hash);
    const slice = /^(0|[1-9]\d{0,2})$/.test(request.params.slice)
      ? parts.rounds.slice(round.manifestHash, Number(request.params.slice))
      : undefined;
    if (slice === undefined) throw new Refusal('notFound');
    response.type('application/octet-stream').send(slice);
  });

  router.get('/sheets/:hash', (request, response) => {
    const sheet = parts.sheets.withHash(pathBytes(request.params.hash, 32, 'notFound'));
    if (sheet === undefined) throw new Refusal('notFound');
    response.type('application/json').send(sheet.bytes);
  });
  return router;
}

/** How far a group is, as far as it concerns people. */
function groupState(round: Round, task: Task): 'open' | 'counting' | 'released' | 'withheld' {
  if (task.state === 'withheld') return 'withheld';
  if (task.state === 'confirmed') return 'released';
  return round.state === 'closed' ? 'counting' : 'open';
}

function roundOf(parts: GuardianParts, parameter: unknown): Round {
  const round = parts.rounds.withHash(pathBytes(parameter, 32, 'notFound'));
  // A manifest that only one party has signed is nobody's business yet.
  if (round === undefined || round.employerSignature === null) throw new Refusal('notFound');
  return round;
}
