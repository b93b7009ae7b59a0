import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** One built file: its name in the assets folder, and the base64url SHA-256 of its bytes. */
export interface Asset {
  readonly file: string;
  readonly sha256: string;
}

/** What the pages load, by plain name (`answer.js`, `main.css`, `icon.svg`). */
export type AssetsManifest = Readonly<Record<string, Asset>>;

/**
 * Bundles every page script (the files directly in `views/browser/`) and the style sheet with its icon into
 * `out`, each under a name that holds the start of its hash, and writes `manifest.json` beside
 * them. The hash of the answering script goes into the round manifest that both parties sign, so
 * the same sources must give the same bytes: no paths, no times, no source maps in the output.
 *
 * @param root the folder that holds `views/` and `node_modules/`
 * @param out the folder to write; it is emptied first
 */
export async function buildAssets(root: string, out: string): Promise<AssetsManifest> {
  const scripts = readdirSync(join(root, 'views/browser'), { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join('views/browser', entry.name))
    .sort();
  const result = await build({
    absWorkingDir: root,
    entryPoints: [...scripts, 'views/styles/main.css', 'views/styles/icon.svg'],
    loader: { '.svg': 'copy' },
    outdir: 'assets',
    entryNames: '[name]',
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    // libsodium's loader has a branch for Node; a browser never takes it.
    external: ['node:*', 'module', 'crypto', 'fs', 'path', 'url'],
    logLevel: 'warning',
  });
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const manifest: Record<string, Asset> = {};
  for (const { path, contents } of result.outputFiles) {
    const digest = createHash('sha256').update(contents).digest();
    const [name, extension] = basename(path).split('.') as [string, string];
    const file = `${name}.${digest.subarray(0, 4).toString('hex')}.${extension}`;
    writeFileSync(join(out, file), contents);
    manifest[basename(path)] = { file, sha256: digest.toString('base64url') };
  }
  const sorted = Object.fromEntries(Object.entries(manifest).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(join(out, 'manifest.json'), `${JSON.stringify(sorted, null, 2)}\n`);
  return sorted;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // Runs as dist/server/build.js: the root is two folders up.
  const root = fileURLToPath(new URL('../../', import.meta.url));
  await buildAssets(root, join(root, 'dist/assets'));
}
