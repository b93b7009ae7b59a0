import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** The import directions of the design, read from the sources themselves. */

const PROJECT = fileURLToPath(new URL('../', import.meta.url));

interface Source {
  /** From the project's root, with slashes. */
  readonly path: string;
  readonly text: string;
  /** Every module it imports: project paths for relative ones, else the package's name. */
  readonly imports: readonly string[];
}

function filesIn(folder: string): string[] {
  return readdirSync(join(PROJECT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesIn(path) : path.endsWith('.ts') ? [path] : [];
  });
}

/** Static imports, re-exports and dynamic imports; types too. */
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(\s*|^\s*import\s+)(['"])([^'"]+)\1/gm;

function sourceOf(path: string): Source {
  const text = readFileSync(join(PROJECT, path), 'utf8');
  const imports = [...text.matchAll(IMPORT)].map(([, , name]) =>
    (name as string).startsWith('.')
      ? relative(PROJECT, resolve(PROJECT, dirname(path), name as string)).replaceAll('\\', '/')
      : (name as string),
  );
  return { path, text, imports };
}

const SOURCES = ['crypto', 'server', 'views'].flatMap(filesIn).map(sourceOf);

/** `folder` and everything below it. */
const within = (path: string, folder: string) =>
  path === folder || path.startsWith(folder.endsWith('.ts') ? folder : `${folder}/`);

/** Imports of the files below `folder` that `allowed` does not have: `file → import`. */
function breaches(folder: string, allowed: (name: string) => boolean): string[] {
  const sources = SOURCES.filter(({ path }) => within(path, folder));
  expect(sources.length, `files in ${folder}`).toBeGreaterThan(0);
  return sources.flatMap(({ path, imports }) =>
    imports.filter((name) => !allowed(name)).map((name) => `${path} → ${name}`),
  );
}

const isOwn = (name: string) => /^(crypto|server|views|test)\//.test(name);
const isNode = (name: string) => name.startsWith('node:');

/** Within the project only these folders; packages and Node as they like. */
const only =
  (...folders: string[]) =>
  (name: string): boolean =>
    !isOwn(name) || folders.some((folder) => within(name, folder));

test('the reader of imports sees every kind', () => {
  const text = [
    "import { a } from './a.ts';",
    "import type { b } from '../b.ts';",
    "import 'c';",
    "export { d } from './d.ts';",
    "const e = await import('./e.ts');",
    "import {\n  f,\n} from 'node:f';",
  ].join('\n');
  expect([...text.matchAll(IMPORT)].map((match) => match[2])).toEqual([
    './a.ts',
    '../b.ts',
    'c',
    './d.ts',
    './e.ts',
    'node:f',
  ]);
  expect(SOURCES.length).toBeGreaterThan(100);
});

describe('imports point one way', () => {
  test('crypto: itself, @noble/hashes and libsodium-wrappers', () => {
    const packages = ['@noble/hashes/sha2.js', 'libsodium-wrappers'];
    const allowed = (name: string) => within(name, 'crypto') || packages.includes(name);
    expect(breaches('crypto', allowed)).toEqual([]);
  });

  test('views/browser: crypto and itself, no package', () => {
    const allowed = (name: string) => within(name, 'crypto') || within(name, 'views/browser');
    expect(breaches('views/browser', allowed)).toEqual([]);
  });

  test('views/charts: itself and its packages, no Node', () => {
    const allowed = (name: string) => only('views/charts')(name) && !isNode(name);
    expect(breaches('views/charts', allowed)).toEqual([]);
  });

  test('domain: crypto and itself; no SQL, no HTTP, no files', () => {
    const packages = ['better-sqlite3', 'express', 'helmet', 'pino'];
    const allowed = (name: string) =>
      only('crypto', 'server/domain')(name) && !isNode(name) && !packages.includes(name);
    expect(breaches('server/domain', allowed)).toEqual([]);
  });

  test('storage: domain and crypto', () => {
    expect(breaches('server/storage', only('crypto', 'server/domain', 'server/storage'))).toEqual(
      [],
    );
  });

  test.each(['aggregator', 'jobs', 'http', 'peer'])(
    '%s: its neighbours, storage, domain, crypto, charts; neither party',
    (folder) => {
      const allowed = only(
        'crypto',
        'views/charts',
        'server/domain',
        'server/storage',
        'server/aggregator',
        'server/jobs',
        'server/http',
        'server/peer',
        'server/mail',
        'server/build.ts',
      );
      expect(breaches(`server/${folder}`, allowed)).toEqual([]);
    },
  );

  test.each([
    ['guardian', 'employer'],
    ['employer', 'guardian'],
  ])('the %s never imports the %s', (party, other) => {
    const allowed = (name: string) =>
      !within(name, `server/${other}`) && !within(name, 'server/evaluation');
    expect(breaches(`server/${party}`, allowed)).toEqual([]);
  });

  test('what both parties share imports neither', () => {
    const allowed = (name: string) =>
      !['guardian', 'employer', 'evaluation', 'cli'].some((folder) =>
        within(name, `server/${folder}`),
      );
    expect(breaches('server/party.ts', allowed)).toEqual([]);
  });

  test('nothing but tests imports tests', () => {
    for (const folder of ['crypto', 'server', 'views']) {
      expect(breaches(folder, (name) => !within(name, 'test'))).toEqual([]);
    }
  });
});

describe('released totals', () => {
  const importers = (module: string) =>
    SOURCES.filter(({ imports }) => imports.includes(module)).map(({ path }) => path);

  test('are estimated for the gate alone', () => {
    expect(importers('server/domain/estimate.ts')).toEqual(['server/domain/gate.ts']);
  });

  test('are read by it, and by the two steps that sign them; by no page', () => {
    expect(importers('server/domain/published.ts').sort()).toEqual([
      'server/domain/gate.ts',
      'server/employer/collect.ts',
      'server/guardian/release.ts',
    ]);
  });
});

describe('SQL', () => {
  const elsewhere = SOURCES.filter(({ path }) => !within(path, 'server/storage'));
  const STATEMENT =
    /['"`]\s*(SELECT\s|INSERT\s+(INTO|OR)\b|UPDATE\s+\w+\s+SET\b|DELETE\s+FROM\b|CREATE\s+(TABLE|INDEX)\b|PRAGMA\b|BEGIN\b|COMMIT\b|ROLLBACK\b)/;

  test('stands in server/storage alone', () => {
    const inStorage = SOURCES.filter(({ path }) => within(path, 'server/storage'));
    expect(inStorage.some(({ text }) => STATEMENT.test(text))).toBe(true);
    expect(elsewhere.filter(({ text }) => STATEMENT.test(text)).map(({ path }) => path)).toEqual(
      [],
    );
  });

  test('so does the database itself: nobody else prepares or runs a statement', () => {
    const uses = /\bdb\s*\.\s*(prepare|exec|pragma|transaction)\b/;
    expect(
      elsewhere
        .filter(({ text, imports }) => uses.test(text) || imports.includes('better-sqlite3'))
        .map(({ path }) => path),
    ).toEqual([]);
  });
});

test('there are no default exports and no barrel files', () => {
  const defaults = SOURCES.filter(({ text }) => /^export default\b/m.test(text));
  expect(defaults.map(({ path }) => path)).toEqual([]);
  const barrels = SOURCES.filter(({ path, text }) => {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    return path.endsWith('/index.ts') || lines.every((line) => /^export .* from /.test(line));
  });
  expect(barrels.map(({ path }) => path)).toEqual([]);
});
