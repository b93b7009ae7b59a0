/** Why the page stops before the survey. */
export type StopCode =
  | 'no_webassembly'
  | 'no_webcrypto'
  | 'bad_link'
  | 'unreachable'
  | 'unknown_round'
  | 'unknown_group'
  | 'not_genuine'
  | 'keys_changed'
  | 'script_differs'
  | 'planned'
  | 'closed'
  | 'failed';

/** The one error of the start checks. `detail` fills the gap that some sentences have. */
export class Stop extends Error {
  readonly code: StopCode;
  readonly detail: string;

  constructor(code: StopCode, detail = '') {
    super(code);
    this.name = 'Stop';
    this.code = code;
    this.detail = detail;
  }
}
