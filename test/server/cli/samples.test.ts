import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseSettings } from '../../../server/cli/settings.ts';
import { parseSheetFile } from '../../../server/domain/sheet-file.ts';
import { root } from '../../views/sample.ts';

const FOLDER = 'server/cli/samples';
const read = (name: string) => JSON.parse(readFileSync(join(root, FOLDER, name), 'utf8'));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

test.each(['guardian', 'employer'])('the sample settings of the %s are settings', (party) => {
  const sample = read(`${party}.json`);
  expect(parseSettings(sample, party)).toEqual(sample);
  expect(sample.party).toBe(party);
});

test('the two samples are of one pair', () => {
  const [guardian, employer] = [read('guardian.json'), read('employer.json')];
  expect([guardian.name, guardian.other_name]).toEqual([employer.other_name, employer.name]);
  expect(new URL(guardian.url).host).not.toBe(new URL(employer.url).host);
  expect(guardian.time_zone).toBe(employer.time_zone);
});

test('the sample sheet is a sheet', () => {
  expect(parseSheetFile(read('sheet.json'))).toMatchObject({ cadence: 'quarterly', k: 10 });
});

test('the README names every sample, and every setting', () => {
  for (const name of readdirSync(join(root, FOLDER))) expect(readme).toContain(`${FOLDER}/${name}`);
  for (const key of Object.keys(read('guardian.json'))) expect(readme).toContain(`\`${key}\``);
});
