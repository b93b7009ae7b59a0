import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { VISIBLE } from '../../views/browser/shared/visible.ts';
import { ASSETS, builtAssets } from '../support/project.ts';
import { root } from './sample.ts';

/** All that the answering page loads, compressed: 200 kB, of which libsodium is 152. */
const MOST_BYTES = 200_000;

it('the answering page stays light enough for a phone on a slow network', () => {
  const assets = builtAssets();
  const files = ['answer.js', 'main.css', 'icon.svg'].map((name) =>
    readFileSync(join(ASSETS, assets[name]?.file ?? '')),
  );
  const pages = ['layouts/main.hbs', 'pages/answer.hbs'].map((name) =>
    readFileSync(join(root, 'views', name)),
  );
  const weight = [...files, ...pages].reduce((sum, file) => sum + gzipSync(file).length, 0);
  expect(weight).toBeLessThan(MOST_BYTES);
});

it('what remains visible stands on the page that explains Chorus, word for word', () => {
  const page = readFileSync(join(root, 'views/pages/how.hbs'), 'utf8');
  for (const sentence of VISIBLE) expect(page).toContain(`<li>${sentence}</li>`);
});
