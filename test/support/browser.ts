import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import chromium from '@sparticuz/chromium';
import type { Result } from 'axe-core';
import { type Browser, chromium as driver, type Page } from 'playwright-core';

/** Where a Chrome or Chromium usually is, for systems that the packaged one does not run on. */
const INSTALLED = [
  '/usr/bin/google-chrome',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/**
 * Switches that `@sparticuz/chromium` adds for its own use: with one process, contexts fail together;
 * without web security, requests to another origin are let through that browsers refuse; and a
 * graphics card that software plays costs a third of the processor time, for pictures nobody sees.
 */
const UNWANTED = [
  '--single-process',
  '--no-zygote',
  '--disable-web-security',
  '--disable-site-isolation-trials',
  '--allow-running-insecure-content',
  '--ignore-gpu-blocklist',
  '--in-process-gpu',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
];

/**
 * A headless Chromium: the one in `@sparticuz/chromium` (Linux, x64 or arm64), else an installed
 * Chrome. Takes 2 to 4 seconds; start one for a test file and close it afterwards.
 *
 * @param extra more command-line switches
 * @throws if the system has neither
 */
export async function launchBrowser(extra: readonly string[] = []): Promise<Browser> {
  if (process.platform === 'linux') {
    const packaged = chromium.args.filter((arg) => !UNWANTED.includes(arg));
    const args = [...packaged, '--disable-gpu', ...extra];
    try {
      const executablePath = await chromium.executablePath();
      return await driver.launch({ executablePath, args });
    } catch (error) {
      if (!INSTALLED.some((path) => existsSync(path))) throw error;
    }
  }
  const executablePath = INSTALLED.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error('no Chrome or Chromium is installed here');
  return driver.launch({ executablePath, args: ['--disable-gpu', ...extra] });
}

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** WCAG 2.2 A and AA with axe's own good practice. */
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/**
 * Violations that axe-core finds on this page as it is now, one line each; none is an empty array.
 * The script comes in through the debugger, so the page's Content-Security-Policy may stay on.
 */
export async function axe(page: Page): Promise<string[]> {
  const client = await page.context().newCDPSession(page);
  const known = await client.send('Runtime.evaluate', { expression: 'typeof axe' });
  if (known.result.value === 'undefined') {
    await client.send('Runtime.evaluate', { expression: readFileSync(AXE, 'utf8') });
  }
  const { result } = await client.send('Runtime.evaluate', {
    expression: `axe.run(document, { runOnly: ${JSON.stringify(TAGS)} }).then((r) => JSON.stringify(r.violations))`,
    awaitPromise: true,
    returnByValue: true,
  });
  await client.detach();
  const violations = JSON.parse(String(result.value)) as Result[];
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) =>
      [`${id}: ${help}`, target.join(' '), failureSummary ?? ''].join(' | '),
    ),
  );
}
