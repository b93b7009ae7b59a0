/** DAP's own problem types (DAP §Errors), and ours. The union is closed. */
const REFUSALS = {
  invalidMessage: [400, 'dap', 'The message is malformed.'],
  unrecognizedTask: [404, 'dap', 'There is no such task here.'],
  unrecognizedAggregationJob: [404, 'dap', 'There is no such aggregation job here.'],
  batchInvalid: [400, 'dap', 'The query is not for the whole interval of the task.'],
  invalidBatchSize: [400, 'dap', 'The batch has too few reports to be collected.'],
  invalidAggregationParameter: [400, 'dap', 'This VDAF takes no aggregation parameter.'],
  batchMismatch: [400, 'dap', 'Count or checksum differ from this party’s.'],
  batchOverlap: [400, 'dap', 'The batch has been collected, or is sealed.'],
  unsupportedExtension: [400, 'dap', 'The extension is not known here.'],
  unauthorized: [401, 'chorus', 'The caller is not the other party.'],
  notFound: [404, 'chorus', 'There is nothing at this address.'],
  retentionOver: [410, 'chorus', 'This was kept as long as it was to be, and is deleted.'],
  wrongMediaType: [415, 'chorus', 'The body is not of the type that is expected here.'],
  tooLarge: [413, 'chorus', 'The body is too large.'],
  unavailable: [503, 'chorus', 'Nothing can be stored here just now; nothing was changed.'],
  signInNeeded: [401, 'chorus', 'Please sign in first.'],
  wrongRole: [
    403,
    'chorus',
    'Your role does not open this. If you need it, ask whoever runs this server.',
  ],
  tooOften: [429, 'chorus', 'Too many requests; please wait a few minutes.'],
  codeUnknown: [404, 'chorus', 'There is no such invitation here.'],
  codeUsed: [409, 'chorus', 'This invitation was used before, for another token.'],
  codeExpired: [410, 'chorus', 'This invitation is not valid now.'],
  wrongKey: [409, 'chorus', 'The request is for another key than the invitation’s.'],
  crossSite: [403, 'chorus', 'The form was not sent from this site.'],
  withheld: [409, 'chorus', 'The group is withheld.'],
  tooLate: [409, 'chorus', 'The round is closed.'],
  notYet: [409, 'chorus', 'It is too early for this step.'],
  lotTooSmall: [409, 'chorus', 'Fewer than k reports of this lot would be accepted.'],
  sealMismatch: [
    409,
    'chorus',
    'The seal differs from this party’s bucket; the group is withheld.',
  ],
  commitmentMismatch: [409, 'chorus', 'The revealed share is not the one that was sealed.'],
  resultMismatch: [409, 'chorus', 'The signed totals are not the ones computed here.'],
  roundTaken: [409, 'chorus', 'A round with this number is signed already.'],
  accountExceeded: [409, 'chorus', 'The round has no room in the account of twelve months.'],
  planMismatch: [409, 'chorus', 'The plan differs from what was agreed.'],
  listMismatch: [409, 'chorus', 'The list of ids differs from what was counted here.'],
} as const satisfies Record<string, readonly [number, 'dap' | 'chorus', string]>;

export type RefusalCode = keyof typeof REFUSALS;

const TYPE_PREFIX = { dap: 'urn:ietf:params:ppm:dap:error:', chorus: 'urn:chorus:error:' } as const;

/** A request that is refused, with nothing changed. Mapped to a problem document in one place. */
export class Refusal extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode, detail?: string) {
    super(detail ?? REFUSALS[code][2]);
    this.name = 'Refusal';
    this.code = code;
  }

  get status(): number {
    return REFUSALS[this.code][0];
  }

  /** RFC 9457. */
  problem(): { type: string; title: string; status: number; detail: string } {
    const [status, family, title] = REFUSALS[this.code];
    return { type: TYPE_PREFIX[family] + this.code, title, status, detail: this.message };
  }
}

/** The code of a problem type that this program may have sent, or undefined. */
export function refusalCodeOf(type: unknown): RefusalCode | undefined {
  for (const [code, [, family]] of Object.entries(REFUSALS)) {
    if (type === TYPE_PREFIX[family] + code) return code as RefusalCode;
  }
  return undefined;
}
