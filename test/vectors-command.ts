import { resolve } from 'node:path';
import { sodiumReady } from '../crypto/sodium.ts';
import { runVectorFolders } from './support/vdaf-vector-folders.ts';

/**
 * `npm run vectors -- DIR`: see `runVectorFolders`. The last line is `N passed, M failed`; the exit
 * code is 1 if a vector failed or none was run.
 */
const named = process.argv.slice(2);
if (named.length === 0) console.error('usage: npm run vectors -- DIR');
// npm runs scripts in the package's folder; INIT_CWD is where it was called.
const folders = named.map((folder) => resolve(process.env.INIT_CWD ?? '.', folder));
await sodiumReady();
process.exitCode = runVectorFolders(folders, (line) => console.log(line)) ? 0 : 1;
