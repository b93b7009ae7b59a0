import { expect, it } from 'vitest';
import { guessSentence, LIGHT_WORDS } from '../../../server/domain/noise-presets.ts';
import { parseSheetFile } from '../../../server/domain/sheet-file.ts';
import { testSheet } from '../../support/parties.ts';

const pointsWith = (preset: string, more: readonly string[] = []) => {
  const { noise: _, notice, ...rest } = testSheet();
  const points = ['It is a test.', ...more];
  const sheet = parseSheetFile({ ...rest, notice: { ...notice, points }, noise: { preset } });
  return { sheet, points: sheet.notice.points };
};

it('the notice of a Light survey says what Light means, once, and no other does', () => {
  for (const more of [[], [LIGHT_WORDS]]) {
    const { sheet, points } = pointsWith('light', more);
    expect(points.filter((point) => point === LIGHT_WORDS)).toHaveLength(1);
    expect(points).toContain(guessSentence(sheet));
  }
  expect(pointsWith('standard').points).not.toContain(LIGHT_WORDS);
});
