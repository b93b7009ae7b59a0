/** What a step shows: the tab's title, and what stands in the page; its first h1 takes the focus. */
export interface Screen {
  readonly title: string;
  readonly content: readonly Node[];
}

/** The place in a page where one screen follows another. */
export class Stage {
  readonly #root: HTMLElement;
  readonly #name: string;

  /** @param name what stands in every title of the tab: the survey's, or the page's */
  constructor(root: HTMLElement, name: string) {
    this.#root = root;
    this.#name = name;
  }

  /** Puts a screen in place, names the tab after it and moves the focus to its heading. */
  show(screen: Screen, focus = true): void {
    this.#root.replaceChildren(...screen.content);
    const parts = screen.title === this.#name ? [] : [screen.title];
    document.title = [...parts, this.#name, 'Chorus'].join(' – ');
    const heading = this.#root.querySelector('h1');
    heading?.setAttribute('tabindex', '-1');
    if (!focus) return;
    window.scrollTo(0, 0);
    heading?.focus({ preventScroll: true });
  }

  /** Takes everything away: the browser may keep the page for its Back button. */
  clear(): void {
    this.#root.replaceChildren();
  }

  /** For screen readers, without moving the focus. */
  say(words: string): void {
    const status = document.getElementById('page-status');
    if (status !== null) status.textContent = words;
  }
}
