import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const files = readdirSync('crypto', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, lines: readFileSync(`crypto/${file}`, 'utf8').split('\n') }));

describe('the public surface of crypto/', () => {
  it('has a comment on every export', () => {
    const bare = files.flatMap(({ file, lines }) =>
      lines
        .map((line, i) => ({ line, before: lines[i - 1] ?? '', place: `${file}:${i + 1}` }))
        .filter(({ line }) => /^export (?!\{|type \{)/.test(line))
        .filter(({ before }) => !before.trimEnd().endsWith('*/'))
        .map(({ place, line }) => `${place} ${line}`),
    );
    expect(bare).toEqual([]);
  });

  it('throws nothing but CryptoError', () => {
    const others = files.flatMap(({ file, lines }) =>
      lines
        .map((line, i) => `${file}:${i + 1} ${line.trim()}`)
        .filter((line) => /\bthrow new (?!CryptoError\()/.test(line)),
    );
    expect(others).toEqual([]);
  });

  it('has only codes that its union names, and uses each of them', () => {
    const source = readFileSync('crypto/errors.ts', 'utf8');
    const codes = [...source.matchAll(/^ {2}\| '(\w+)'/gm)].map(([, code]) => code as string);
    const used = files.flatMap(({ lines }) =>
      [...lines.join('\n').matchAll(/new CryptoError\(\s*'(\w+)'/g)].map(([, code]) => code),
    );
    expect([...new Set(used)].sort()).toEqual([...codes].sort());
  });

  it('draws no randomness and reads no clock', () => {
    const impure = /\b(Math\.random|getRandomValues|randombytes_buf|Date\b|performance\b)/;
    for (const { file, lines } of files) expect(lines.join('\n'), file).not.toMatch(impure);
  });
});
