import { t } from './text.js';

const two = (value) => String(value).padStart(2, '0');

/** `2018-02-06 15:50:43`, always UTC: feeds, crews and officers may sit in different zones. */
export const instant = (ms) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

/** `02-06 15:50`. */
export const shortInstant = (ms) => instant(ms).slice(5, 16);

/** `4:07`, `1:02:33`, `2 d 02:38`; negative ones with a minus sign. */
export function duration(ms) {
  const sign = ms < 0 ? '−' : '';
  const seconds = Math.floor(Math.abs(ms) / 1000);
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = seconds % 60;
  if (days > 0) return `${sign}${t('days', { n: days })} ${two(hours)}:${two(minutes)}`;
  if (hours > 0) return `${sign}${hours}:${two(minutes)}:${two(rest)}`;
  return `${sign}${minutes}:${two(rest)}`;
}

/** How old data is, in one unit: `3 s`, `12 min`, `5 h`, `2 d`. */
export function age(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 90) return t('ageSeconds', { n: seconds });
  if (seconds < 5400) return t('ageMinutes', { n: Math.floor(seconds / 60) });
  if (seconds < 172_800) return t('ageHours', { n: Math.floor(seconds / 3600) });
  return t('ageDays', { n: Math.floor(seconds / 86_400) });
}

export const percent = (share) => `${Math.round(share * 100)} %`;

/** `quarry-blast` becomes `quarry blast`: for names that the dictionary does not know. */
export const plain = (slug) => String(slug).replaceAll('-', ' ');
