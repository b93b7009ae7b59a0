/** Where the evaluation tells a person how far it is. */
export interface Checklist {
  /** A step that is finished. */
  done(text: string): void;
  /** Progress of the step under way: one line that is written over, or nothing without a terminal. */
  progress(text: string, done: number, total: number): void;
  /** A paragraph. */
  say(text: string): void;
}

const BAR_WIDTH = 24;

/** For a terminal the current step is a bar that grows; elsewhere only what is finished is written. */
export function checklist(out: NodeJS.WriteStream): Checklist {
  const terminal = out.isTTY === true;
  const clear = () => {
    if (terminal) out.write('\r\u001b[K');
  };
  return {
    done(text) {
      clear();
      out.write(`  ✓ ${text}\n`);
    },
    progress(text, done, total) {
      if (!terminal) return;
      const filled = total === 0 ? 0 : Math.round((done / total) * BAR_WIDTH);
      clear();
      out.write(`  ${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${text}`);
    },
    say(text) {
      clear();
      out.write(`${text}\n`);
    },
  };
}

/** For `--json`: nothing but the one line at the end. */
export const silentChecklist: Checklist = { done() {}, progress() {}, say() {} };
