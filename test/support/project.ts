import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AssetsManifest } from '../../server/build.ts';

/** The root of this repository. */
export const PROJECT = projectFolder();

/** What the pages load, as `npm run build` makes it and the tests' `global-setup.ts` once more. */
export const ASSETS = join(PROJECT, 'dist/assets');

export function builtAssets(): AssetsManifest {
  return JSON.parse(readFileSync(join(ASSETS, 'manifest.json'), 'utf8')) as AssetsManifest;
}

/** Two folders up, or three where this file was compiled into `dist/`. */
function projectFolder(): string {
  const here = fileURLToPath(new URL('../../', import.meta.url));
  return existsSync(join(here, 'migrations')) ? here : join(here, '..');
}
