/** `SPILLWAY_BENCH_QUICK=1`: short durations, to see an arm work. Its figures are not to be quoted. */
const quickly = process.env['SPILLWAY_BENCH_QUICK'] === '1';

export function measured(full: number, quick: number): number {
  return quickly ? quick : full;
}
