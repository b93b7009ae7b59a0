/** One measurement of a benchmark. */
export interface BenchResult {
  name: string;
  unit: string;
  value: number;
  /** The same for the implementation it is compared with. */
  peer?: number;
  /** peer / value: how many times faster. */
  ratio?: number;
  /** What else the value means; printed behind it. */
  note?: string;
}
