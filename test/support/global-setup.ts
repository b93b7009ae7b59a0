import type { TestProject } from 'vitest/node';
import { buildAssets } from '../../server/build.ts';
import { ASSETS, PROJECT } from './project.ts';

/** Builds the pages' files once for all tests, and again before a watched run. */
export async function setup(project: TestProject): Promise<void> {
  const build = async () => {
    await buildAssets(PROJECT, ASSETS);
  };
  project.onTestsRerun(build);
  await build();
}
