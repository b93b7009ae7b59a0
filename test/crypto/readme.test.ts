import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';

const README = readFileSync('crypto/README.md', 'utf8');
const CRYPTO = new URL('../../crypto/', import.meta.url).pathname;

const folder = mkdtempSync(join(tmpdir(), 'readme-'));
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

describe('crypto/README.md', () => {
  it('shows code that runs, and does what it says', async () => {
    const [, code] = /```ts\n([\s\S]*?)```/.exec(README) as unknown as [string, string];
    const [, claimed] = /^console\.log\(.*\); \/\/ (.*)$/m.exec(code) as unknown as [
      string,
      string,
    ];
    // The example stands in crypto/; here it runs from elsewhere.
    const path = join(folder, 'example.ts');
    writeFileSync(path, code.replaceAll("from './", `from '${CRYPTO}`));
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    await import(/* @vite-ignore */ path);
    expect(log.mock.calls).toEqual([[JSON.parse(claimed)]]);
  });

  it('needs no more than some twenty lines for it', () => {
    const [, code] = /```ts\n([\s\S]*?)```/.exec(README) as unknown as [string, string];
    const lines = code.split('\n').filter((line) => !/^\s*(import .*|\/\/.*|)$/.test(line));
    expect(lines.length).toBeLessThanOrEqual(20);
  });

  it('links to files that are there', () => {
    const links = [...README.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, link]) => link as string);
    expect(links.length).toBeGreaterThan(15);
    expect(links.filter((link) => !existsSync(`crypto/${link}`))).toEqual([]);
  });
});
