/** Why something cannot be planned. The union is closed: callers switch over it. */
export type PlanErrorCode =
  /** A number out of its range. */
  | 'argument'
  /** A unit's path that cannot be read; the message says why, in words for people. */
  | 'unit-path'
  /** Too few people for one group; the message says what would be needed. */
  | 'too-small';

/** The one error of planning. Match on `code`; the message may be shown to people. */
export class PlanError extends Error {
  override readonly name = 'PlanError';
  readonly code: PlanErrorCode;

  constructor(code: PlanErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
