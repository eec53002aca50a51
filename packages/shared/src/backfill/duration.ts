/** ISO 8601 durations of fixed length, as the contract allows them (weeks to seconds), in milliseconds. */
const PATTERN = /^P(?!$)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,3})?)S)?)?$/;
const UNIT_MS = [604_800_000, 86_400_000, 3_600_000, 60_000, 1_000] as const;

/** Null when it is not a duration the contract allows. */
export function durationMs(duration: string): number | null {
  const parts = PATTERN.exec(duration);
  if (parts === null) return null;
  return UNIT_MS.reduce(
    (total, unitMs, index) => total + Math.round(Number(parts[index + 1] ?? 0) * unitMs),
    0,
  );
}

/** The shortest spelling: 3,600,000 is `PT1H`. Days are 24 hours. */
export function formatDuration(ms: number): string {
  const [days, hours, minutes] = [
    Math.floor(ms / 86_400_000),
    Math.floor(ms / 3_600_000) % 24,
    Math.floor(ms / 60_000) % 60,
  ];
  const seconds = (ms % 60_000) / 1_000;
  const time = `${hours ? `${hours}H` : ''}${minutes ? `${minutes}M` : ''}${seconds ? `${seconds}S` : ''}`;
  if (days === 0 && time === '') return 'PT0S';
  return `P${days ? `${days}D` : ''}${time ? `T${time}` : ''}`;
}
