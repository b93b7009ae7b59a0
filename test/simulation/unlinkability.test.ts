import { test } from 'vitest';
import { attack } from './unlinkability/attacker.ts';
import { simulate } from './unlinkability/rounds.ts';
import { inWords, surprise, Tally } from './unlinkability/score.ts';

test('look', async () => {
  const tallies = new Map<string, Tally>();
  let spent = 0;
  const t = performance.now();
  await simulate({
    manifests: Number(process.env.M ?? 2),
    groups: Number(process.env.G ?? 25),
    closed: process.env.C !== '0',
    onShot({ moment, evidence, games }) {
      const s = performance.now();
      const tally = tallies.get(moment) ?? new Tally();
      tallies.set(moment, tally);
      attack(evidence, games, tally);
      spent += performance.now() - s;
    },
  });
  console.log('total', performance.now() - t, 'attack', spent);
  for (const [m, tally] of tallies)
    console.log(
      m,
      tally.scores.length,
      tally.alarms.length,
      '\n' +
        tally.scores
          .slice(0, 12)
          .map((s) => inWords(s) + ' ' + surprise(s).toExponential(1))
          .join('\n'),
    );
}, 300000);
