/**
 * Long work in small steps: it yields every now and then, so that whoever runs it can let others have
 * a turn. The rules of this folder know no clock; they say only where a pause does no harm.
 */
export type Turns<T> = Generator<undefined, T>;

/** Runs the work to its end without a pause. */
export function atOnce<T>(work: Turns<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}
