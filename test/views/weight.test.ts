import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { buildAssets } from '../../server/build.ts';
import { VISIBLE } from '../../views/browser/shared/visible.ts';
import { root } from './sample.ts';

/** All that the answering page loads, compressed: 200 kB, of which libsodium is 152. */
const MOST_BYTES = 200_000;

it('the answering page stays light enough for a phone on a slow network', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'chorus-assets-'));
  try {
    const assets = await buildAssets(root, folder);
    const files = ['answer.js', 'main.css', 'icon.svg'].map((name) =>
      readFileSync(join(folder, assets[name]?.file ?? '')),
    );
    const pages = ['layouts/main.hbs', 'pages/answer.hbs'].map((name) =>
      readFileSync(join(root, 'views', name)),
    );
    const weight = [...files, ...pages].reduce((sum, file) => sum + gzipSync(file).length, 0);
    expect(weight).toBeLessThan(MOST_BYTES);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('what remains visible stands on the page that explains Chorus, word for word', () => {
  const page = readFileSync(join(root, 'views/pages/how.hbs'), 'utf8');
  for (const sentence of VISIBLE) expect(page).toContain(`<li>${sentence}</li>`);
});
