import { h } from './dom.js';
import { duration, instant, percent } from './format.js';
import { t, word } from './text.js';

export const STAGES = ['detect', 'classify', 'dispatch', 'evaluate', 'refine'];

/** Members that say nothing to a duty officer, or that the heading says already. */
const HIDDEN = new Set(['key', 'hash', 'votes', 'path', 'mission', 'text', 'leaf', 'affected']);

/** What a fact says beyond its kind, as short words. */
export function detailsOf(fact) {
  return Object.entries(fact.data)
    .filter(([name, value]) => !HIDDEN.has(name) && value !== null && value !== '')
    .map(([name, value]) => [nameOf(name), shown(name, value)])
    .filter(([, value]) => value !== '');
}

function shown(name, value) {
  if (typeof value === 'boolean') return t(value ? 'yes' : 'no');
  if (typeof value === 'number') {
    if (name.endsWith('AtMs')) return instant(value);
    if (name.endsWith('Ms')) return duration(value);
    if (name === 'confidence') return percent(value);
    return String(Math.round(value * 100) / 100);
  }
  if (typeof value === 'string') return worded(name, value);
  if (Array.isArray(value)) {
    return value.every((one) => typeof one !== 'object') ? value.join(', ') : String(value.length);
  }
  return '';
}

const DICTIONARIES = {
  status: 'status',
  capability: 'capability',
  type: 'type',
  label: 'type',
  role: 'role',
  decidedBy: 'decidedBy',
  severity: 'severity',
  choice: 'choice',
};
const worded = (name, value) => (name in DICTIONARIES ? word(DICTIONARIES[name], value) : value);

/** The word for a member of a fact; one the dictionary does not know is taken apart: `peakValueMs`, `peak value`. */
function nameOf(name) {
  const known = word('name', name);
  if (known !== name) return known;
  return name
    .replace(/(AtMs|Ms)$/, '')
    .replace(/([A-Z])/g, ' $1')
    .toLowerCase();
}

/** A line per stage, a tick per fact: how the response moved through its stages. */
export function stageChart(facts, fromMs, toMs) {
  const width = 1000;
  const lane = 18;
  const span = Math.max(toMs - fromMs, 1);
  const ticks = STAGES.map((stage, index) => {
    const y = index * lane + lane / 2;
    const marks = facts
      .filter((fact) => fact.stage === stage)
      .map((fact) => {
        const x = ((fact.atMs - fromMs) / span) * (width - 12) + 6;
        return `M${x.toFixed(1)} ${y - 6}V${y + 6}`;
      });
    return h(
      'svg:g',
      { class: `stage-${stage}` },
      h('svg:path', { class: 'lane', d: `M0 ${y}H${width}` }),
      h('svg:path', { class: 'ticks', d: [...new Set(marks)].join('') }),
    );
  });
  return h(
    'svg:svg',
    {
      class: 'stage-chart',
      viewBox: `0 0 ${width} ${STAGES.length * lane}`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': t('factsOverTime'),
    },
    ticks,
  );
}
