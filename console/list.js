import { fill, h } from './dom.js';
import { age, duration, instant, shortInstant } from './format.js';
import { levelBadge } from './level.js';
import { createMap, moreSerious } from './map.js';
import { proposalAddress } from './proposal.js';
import { said, t, word } from './text.js';

export const addressOf = (incidentId) => `#/incidents/${encodeURIComponent(incidentId)}`;

/** The duty officer's first screen: what waits, where it is, and everything that is open. */
export function createListPage(state) {
  let filter = 'open';
  const waiting = h('section', { class: 'card waiting', 'aria-labelledby': 'waiting-title' });
  const rows = h('section', { class: 'card incidents', 'aria-labelledby': 'incidents-title' });
  const map = createMap({ open: (id) => (location.hash = addressOf(id)) });
  const mapCard = h('section', { class: 'card map-card' }, map.element);
  const title = h('h1', { class: 'unseen', tabindex: '-1' });
  const element = h('div', { class: 'list-page' }, title, waiting, mapCard, rows);

  function shownIncidents() {
    return [...state.incidents.values()]
      .filter((one) => filter === 'all' || one.phase !== 'closed')
      .sort(moreSerious);
  }

  function render() {
    title.textContent = t('title');
    document.title = `${t('title')} · Tocsin`;
    const shown = shownIncidents();
    map.show(shown);
    renderWaiting();
    renderRows(shown);
  }

  function renderWaiting() {
    const items = [...state.incidents.values()]
      .flatMap((incident) => incident.waiting.map((question) => ({ incident, question })))
      .sort((a, b) => state.timeLeft(a.incident, a.question) - state.timeLeft(b.incident, b.question));
    fill(
      waiting,
      h(
        'h2',
        { id: 'waiting-title' },
        t('waiting'),
        items.length > 0 ? h('span', { class: 'count' }, String(items.length)) : null,
      ),
      items.length === 0
        ? h('p', { class: 'quiet' }, t('nothingWaits'))
        : h(
            'ul',
            { class: 'waiting-list' },
            items.map(({ incident, question }) =>
              h(
                'li',
                {},
                h(
                  'p',
                  { class: 'waiting-where' },
                  levelBadge(incident.level),
                  h('strong', {}, `${word('hazard', incident.hazard)}, ${said(incident.place.name)}`),
                ),
                h('p', {}, said(question.text)),
                h('p', { class: 'waiting-foot' }, countdown(state, incident, question)),
                h(
                  'a',
                  {
                    class: 'button primary',
                    href: addressOf(incident.incidentId),
                    'data-key': `decide-${incident.incidentId}-${question.id}`,
                    'aria-label': `${t('decide')}: ${said(question.text)}`,
                  },
                  t('decide'),
                ),
              ),
            ),
          ),
      state.proposals.length === 0
        ? null
        : h(
            'div',
            { class: 'proposals' },
            h('h3', {}, t('proposals')),
            h(
              'ul',
              {},
              state.proposals.map((proposal) =>
                h(
                  'li',
                  {},
                  h(
                    'a',
                    {
                      href: proposalAddress(proposal.proposalId),
                      'data-key': `proposal-${proposal.proposalId}`,
                    },
                    `${t('proposal')} ${proposal.proposalId}`,
                  ),
                  ` · ${word('role', proposal.role)}`,
                ),
              ),
            ),
          ),
    );
  }

  function renderRows(shown) {
    fill(
      rows,
      h(
        'div',
        { class: 'card-head' },
        h(
          'h2',
          { id: 'incidents-title' },
          t('incidents'),
          h('span', { class: 'count plain' }, String(shown.length)),
        ),
        h(
          'div',
          { class: 'switch', role: 'group', 'aria-label': t('show') },
          ['open', 'all'].map((name) =>
            h(
              'button',
              {
                type: 'button',
                'aria-pressed': String(filter === name),
                'data-key': `filter-${name}`,
                onclick: () => {
                  filter = name;
                  render();
                },
              },
              t(name),
            ),
          ),
        ),
      ),
      shown.length === 0
        ? h('p', { class: 'quiet' }, t(filter === 'open' ? 'noOpenIncidents' : 'noIncidents'))
        : h(
            'table',
            { class: 'incident-table' },
            h(
              'thead',
              {},
              h(
                'tr',
                {},
                ['level', 'hazard', 'place', 'state', 'units', 'opened', 'incidentTime', 'age'].map((name) =>
                  h('th', { scope: 'col', class: `col-${name}` }, t(name)),
                ),
              ),
            ),
            h('tbody', {}, shown.map(row)),
          ),
    );
  }

  function row(incident) {
    const type =
      incident.type !== null && incident.type !== incident.hazard ? ` (${word('type', incident.type)})` : '';
    const higher = incident.highestLevel !== null && incident.highestLevel !== incident.level;
    return h(
      'tr',
      { class: `phase-${incident.phase}`, 'data-incident': incident.incidentId },
      h('td', { class: 'col-level' }, levelBadge(incident.level, { words: true })),
      h(
        'td',
        { class: 'col-hazard' },
        h(
          'a',
          { href: addressOf(incident.incidentId), 'data-key': `row-${incident.incidentId}` },
          `${word('hazard', incident.hazard)}${type}`,
        ),
      ),
      h('td', { class: 'col-place' }, said(incident.place.name)),
      h(
        'td',
        { class: 'col-state' },
        h('span', { class: `chip phase-${incident.phase}` }, t(`phase_${incident.phase}`)),
        incident.waiting.length > 0 ? h('span', { class: 'chip waits' }, t('waits')) : null,
        higher ? h('span', { class: 'small' }, t('highest', { level: incident.highestLevel })) : null,
      ),
      h(
        'td',
        { class: 'col-units' },
        incident.missions.open > 0
          ? t('unitsSummary', incident.missions)
          : h('span', { class: 'quiet' }, t('none')),
      ),
      h('td', { class: 'col-opened' }, time(incident.openedAtMs)),
      h('td', { class: 'col-incidentTime' }, time(incident.nowMs)),
      h(
        'td',
        { class: 'col-age', 'data-age-of': incident.writtenAtMs },
        age(state.serverNow() - incident.writtenAtMs),
      ),
    );
  }

  return { element, render };
}

export const time = (ms) =>
  h('time', { datetime: new Date(ms).toISOString(), title: `${instant(ms)} UTC` }, shortInstant(ms));

/** How long a human still has. It ticks by the wall clock, or moves with the feed of an exercise. */
export function countdown(state, incident, question) {
  const left = state.timeLeft(incident, question);
  return h(
    'span',
    {
      class: `countdown ${left < 60_000 ? 'urgent' : ''}`,
      ...(incident.clock === 'wall' ? { 'data-deadline': question.deadlineMs } : {}),
    },
    leftWords(left),
    incident.clock === 'feed' ? h('span', { class: 'small' }, ` ${t('feedTime')}`) : null,
  );
}

export const leftWords = (left) =>
  left >= 0 ? t('timeLeft', { time: duration(left) }) : t('overdue', { time: duration(-left) });
