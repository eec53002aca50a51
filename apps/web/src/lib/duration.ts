/** ISO 8601 durations of fixed length, as the API writes them. */
const pattern = /^P(?!$)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,3})?)S)?)?$/;

const secondMs = 1_000;
const minuteMs = 60_000;
export const hourMs = 3_600_000;
export const dayMs = 86_400_000;

/** Milliseconds, or null if it is not such a duration. */
export function parseDurationMs(text: string): number | null {
  const match = pattern.exec(text);
  if (match === null) return null;
  const [weeks, days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return Math.round(
    weeks * 7 * dayMs + days * dayMs + hours * hourMs + minutes * minuteMs + seconds * secondMs,
  );
}

/** 5400000 -> "PT1H30M". */
export function isoDuration(ms: number): string {
  const days = Math.floor(ms / dayMs);
  const hours = Math.floor(ms / hourMs) % 24;
  const minutes = Math.floor(ms / minuteMs) % 60;
  const seconds = (ms % minuteMs) / secondMs;
  const date = days > 0 ? `${days}D` : '';
  const time = `${hours > 0 ? `${hours}H` : ''}${minutes > 0 ? `${minutes}M` : ''}${seconds > 0 ? `${seconds}S` : ''}`;
  return date === '' && time === '' ? 'PT0S' : `P${date}${time === '' ? '' : `T${time}`}`;
}
