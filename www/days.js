/** Days as the gallery groups and names them. */

const DAY_MS = 86_400_000;

/** @type {(at: number) => string} the day of a time in the person's time zone, such as `2026-11-28` */
export function dayOf(at) {
  const date = new Date(at);
  // Written by hand, because a gallery of thousands asks for each of its pictures.
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()]
    .map((part) => `${part}`.padStart(2, '0'))
    .join('-');
}

/** @type {(at: number) => string} */
export const monthOf = (at) => dayOf(at).slice(0, 7);

/**
 * The heading of a day.
 *
 * @param {number} at
 * @param {number} now
 */
export function dayName(at, now) {
  const day = dayOf(at);
  if (day === dayOf(now)) return 'Today';
  // From noon, since a day may have 23 or 25 hours.
  if (day === dayOf(new Date(now).setHours(12) - DAY_MS)) return 'Yesterday';
  const isThisYear = day.slice(0, 4) === dayOf(now).slice(0, 4);
  return new Date(at).toLocaleDateString('en', {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    ...(!isThisYear && { year: 'numeric' }),
  });
}

/** @type {(at: number) => string} */
export const monthName = (at) => new Date(at).toLocaleDateString('en', { month: 'long', year: 'numeric' });

/**
 * Whether a time lies in a period: a number of days that end with today, or a month such as `2026-11`.
 *
 * @param {number} at
 * @param {string} period
 * @param {number} now
 */
export function isIn(at, period, now) {
  if (period === '') return true;
  if (period.includes('-')) return monthOf(at) === period;
  return dayOf(at) > dayOf(new Date(now).setHours(12) - Number(period) * DAY_MS);
}
