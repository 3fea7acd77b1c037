import { h } from './dom.js';
import { t } from './text.js';

/** A shape of its own per level, within -12..12: colour is never the only sign. */
const SHAPES = {
  I: 'M-5 -12H5L12 -5V5L5 12H-5L-12 5V-5Z',
  II: 'M0 -14L14 0L0 14L-14 0Z',
  III: 'M-11 -11H11V11H-11Z',
  IV: 'M0 -12A12 12 0 1 1 0 12A12 12 0 1 1 0 -12Z',
};
const UNKNOWN = 'M-11 -3V-11H-3M3 -11H11V-3M11 3V11H3M-3 11H-11V3';

export const LEVELS = ['I', 'II', 'III', 'IV'];

/** Shape and numeral, to be placed in any SVG. */
export function levelMark(level) {
  return h(
    'svg:g',
    { class: `mark level-${level ?? 'none'}` },
    h('svg:path', { d: SHAPES[level] ?? UNKNOWN }),
    h('svg:text', { 'text-anchor': 'middle', y: 4.2 }, level ?? '?'),
  );
}

/** Shape, numeral and words. */
export function levelBadge(level, { words = false } = {}) {
  const name = level === null ? t('levelNone') : `${t('level')} ${level}, ${t(`levelWord_${level}`)}`;
  return h(
    'span',
    { class: 'level' },
    h('svg:svg', { viewBox: '-15 -15 30 30', 'aria-hidden': 'true' }, levelMark(level)),
    words
      ? h('span', { class: 'level-words' }, level === null ? t('levelNone') : t(`levelWord_${level}`))
      : null,
    h('span', { class: 'unseen' }, name),
  );
}
