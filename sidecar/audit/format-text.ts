// Times for people. Pure; what must not reach a terminal is made visible
// before (visible.ts).

/** Returns microseconds as milliseconds with one decimal, without a unit. */
export function milliseconds(us: number): string {
  return (us / 1000).toFixed(1);
}

/** Returns the local time of day, `10:35:14.561`, with its date in front when asked for. */
export function localTime(us: number, isDated: boolean): string {
  const at = new Date(us / 1000);
  const two = (number: number) => String(number).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const ms = String(at.getMilliseconds()).padStart(3, '0');
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${ms}`;
  return isDated ? `${day} ${time}` : time;
}

/** Returns UTC with microseconds: `2026-11-20T10:35:14.561234Z`. */
export function isoTime(us: number): string {
  const ms = Math.floor(us / 1000);
  return `${new Date(ms).toISOString().slice(0, -1)}${String(us - ms * 1000).padStart(3, '0')}Z`;
}
