/** A span of time as people read it. */
const whole = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });

/** In at most two units, rounded down: "45 s", "4 min 10 s", "3 h 12 min", "2 d 4 h". Below a second "0 s". */
export function spanText(spanMs: number): string {
  const totalSeconds = Math.max(0, Math.floor(spanMs / 1_000));
  const parts: [number, string][] = [
    [Math.floor(totalSeconds / 86_400), 'd'],
    [Math.floor(totalSeconds / 3_600) % 24, 'h'],
    [Math.floor(totalSeconds / 60) % 60, 'min'],
    [totalSeconds % 60, 's'],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first === -1) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([amount], index) => index === 0 || amount > 0)
    .map(([amount, unit]) => `${whole.format(amount)} ${unit}`)
    .join(' ');
}
