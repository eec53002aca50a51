/** Times as people read them. Event time is UTC and says so; the wall clock of an action is shown in UTC too. */
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (value: number) => String(value).padStart(2, '0');

/** "1 Jan 2001 06:00" (midnight leaves the time out). */
export function formatInstant(time: string | number): string {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return 'unknown';
  const date = formatDay(time);
  const clock = formatClock(at.getTime());
  return clock === '00:00:00' ? date : `${date} ${clock.endsWith(':00') ? clock.slice(0, 5) : clock}`;
}

/** "1 Jan 2001 06:00:00", with its seconds always: for times that stand below each other. */
export function formatMoment(time: string | number): string {
  return `${formatDay(time)} ${formatClock(time)}`;
}

/** "1 Jan 2001", UTC. */
export function formatDay(time: string | number): string {
  const at = new Date(time);
  return `${at.getUTCDate()} ${months[at.getUTCMonth()]} ${at.getUTCFullYear()}`;
}

/** "14:02:09", UTC. */
export function formatClock(time: string | number): string {
  const at = new Date(time);
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
}

/** "14:02:09.180", UTC: for receipts, where tens of milliseconds matter. */
export function formatClockMs(time: string | number): string {
  return `${formatClock(time)}.${String(new Date(time).getUTCMilliseconds()).padStart(3, '0')}`;
}

/** "1 Jan 2001 – 1 Feb 2001 UTC": half-open, the end is not included. */
export function formatWindow(window: { readonly from: string; readonly to: string }): string {
  return `${formatInstant(window.from)} – ${formatInstant(window.to)} UTC`;
}

/** Times and days of the API's form inside a text, as people read them: "from 1 Jun 2001 09:25 UTC to …", "examples of 1 Nov 2026". */
export function plainTimes(text: string): string {
  return text.replace(
    /(?<![\w/.-])\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z)?(?![\w/-]|[:.]\d)/g,
    (time: string, clock: string | undefined) => {
      const at = new Date(time);
      // Not what JavaScript makes of a day that its month does not have.
      if (Number.isNaN(at.getTime()) || !at.toISOString().startsWith(time.slice(0, 10))) return time;
      return clock === undefined ? formatDay(time) : `${formatInstant(time)} UTC`;
    },
  );
}

/** The API's form: RFC 3339 UTC, without milliseconds where there are none. */
export function isoInstant(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

/** As people type a UTC time: "2001-01-31 06:00", seconds only where there are some. */
export function toInput(ms: number): string {
  const text = new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
  return text.endsWith(':00') ? text.slice(0, 16) : text;
}

/** Null where it is not (yet) a time: also for a day that its month does not have. */
export function fromInput(text: string): number | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?Z?)?$/.exec(text.trim());
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  const back = new Date(ms);
  return back.getUTCMonth() === month - 1 &&
    back.getUTCDate() === day &&
    hour < 24 &&
    minute < 60 &&
    second < 60
    ? ms
    : null;
}
