import type { Browser, BrowserContext, Page } from 'playwright-core';
import { axe, launchBrowser } from '../support/browser.ts';
import { sheet } from './sample.ts';
import { StubGuardian } from './stub-guardian.ts';

type ContextOptions = NonNullable<Parameters<Browser['newContext']>[0]>;

/** What a test file of the employee's pages needs once: a browser and two stubs. */
export class Scene {
  readonly guardian: StubGuardian;
  readonly #browser: Browser;

  private constructor(guardian: StubGuardian, browser: Browser) {
    this.guardian = guardian;
    this.#browser = browser;
  }

  static async start(): Promise<Scene> {
    return new Scene(await StubGuardian.start(), await launchBrowser());
  }

  /** A person with a device of their own and a fresh invitation. */
  async visit(options: ContextOptions = {}): Promise<Visit> {
    const context = await this.#browser.newContext({
      viewport: { width: 360, height: 740 },
      ...options,
    });
    return new Visit(this.guardian, context, await context.newPage());
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    await this.guardian.stop();
  }
}

/** One person in front of the employee's pages. */
export class Visit {
  readonly link: string;
  readonly context: BrowserContext;
  readonly page: Page;
  /** Every request of the page, and every complaint of the browser. */
  readonly requests: string[] = [];
  readonly complaints: string[] = [];
  readonly #guardian: StubGuardian;

  constructor(guardian: StubGuardian, context: BrowserContext, page: Page) {
    this.#guardian = guardian;
    this.context = context;
    this.page = page;
    this.link = guardian.invite();
    page.on('request', (request) => this.requests.push(`${request.method()} ${request.url()}`));
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) this.complaints.push(message.text());
    });
  }

  get posts(): string[] {
    return this.requests.filter((request) => request.startsWith('POST'));
  }

  readonly press = (name: string): Promise<void> =>
    this.page.getByRole('button', { name, exact: true }).click();

  readonly unfold = (name: string): Promise<void> =>
    this.page.locator('summary', { hasText: name }).click();

  readonly heading = (name: string): Promise<void> =>
    this.page.getByRole('heading', { name, exact: true, level: 1 }).waitFor();

  readonly see = (text: string | RegExp): Promise<void> =>
    this.page.getByText(text).first().waitFor();

  focused(): Promise<string | null | undefined> {
    return this.page.evaluate(() => document.activeElement?.textContent);
  }

  text(): Promise<string> {
    return this.page.locator('main').innerText();
  }

  /** Violations of accessibility, and how much the page is too wide. */
  async faults(): Promise<string[]> {
    const violations = await axe(this.page);
    const wide = await this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    return wide > 0 ? [...violations, `${wide} pixels too wide`] : violations;
  }

  /** Opens the invitation. */
  async arrive(link = this.link): Promise<void> {
    await this.page.goto(link);
    await this.heading(sheet.title);
  }

  /** To the choice, with a token. */
  async goOn(): Promise<void> {
    await this.arrive();
    await this.press('Continue');
    await this.heading('Do you want to take part?');
  }

  /** To the first question. */
  async begin(): Promise<void> {
    await this.goOn();
    await this.press('Yes, take part');
  }

  /** Chooses place i % 6 for question i with the mouse and goes on to the review. */
  async answerByMouse(): Promise<void> {
    for (let i = 0; i < sheet.questions.length; i++) {
      await this.page
        .getByRole('radio')
        .nth(i % 6)
        .check();
      await this.press('Continue');
    }
    await this.heading('Check your answers');
  }

  /** The same answers at once, for tests of what comes after them. */
  async answerAll(): Promise<void> {
    await this.page.getByRole('radio').first().waitFor();
    await this.page.evaluate((questions) => {
      for (let i = 0; i < questions; i++) {
        document.querySelectorAll<HTMLInputElement>('input[type=radio]')[i % 6]?.click();
        const buttons = [...document.querySelectorAll('button')];
        buttons.find((button) => button.textContent === 'Continue')?.click();
      }
    }, sheet.questions.length);
    await this.heading('Check your answers');
  }

  /** To the receipt. */
  async submit(): Promise<void> {
    await this.begin();
    await this.answerAll();
    await this.press('Submit');
    await this.heading('Your answer was received');
  }

  /** The receipt of this tab, base64url. */
  receipt(): Promise<string> {
    return this.page.evaluate(
      () => JSON.parse(sessionStorage.getItem('chorus.receipt') ?? '{}').receipt,
    );
  }

  /** Opens a receipt by its link. */
  async openReceipt(receipt: string): Promise<void> {
    await this.page.goto('about:blank');
    await this.page.goto(`${this.#guardian.origin}/receipt#${receipt}`);
  }

  /** Everything that this browser keeps for the guardian's pages. */
  kept(): Promise<{ device: string[]; tab: string[] }> {
    return this.page.evaluate(() => ({
      device: Object.keys(localStorage).sort(),
      tab: Object.keys(sessionStorage).sort(),
    }));
  }

  /** Tab until the element with this text has the focus. */
  async tabTo(name: string): Promise<void> {
    for (let i = 0; i < 40; i++) {
      if ((await this.focused())?.trim() === name) return;
      await this.page.keyboard.press('Tab');
    }
    throw new Error(`${name} is not reached by Tab`);
  }
}
