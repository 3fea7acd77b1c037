import { createCommands } from './commands.js';
import { fill, fillAnew, h } from './dom.js';
import { detailsOf, STAGES, stageChart } from './facts.js';
import { age, duration, instant, percent, plain } from './format.js';
import { levelBadge } from './level.js';
import { countdown } from './list.js';
import { get, post, Refused } from './server.js';
import { currentLanguage, said, t, word } from './text.js';

const FACTS_SHOWN = 200;

/** Everything about one incident: what is believed and why, what is being done, what waits. */
export function createIncidentPage(state, incidentId) {
  const path = `/v1/incidents/${encodeURIComponent(incidentId)}`;
  let incident = null;
  let facts = [];
  let problem = null;
  let stage = null;
  let loading = false;
  let again = false;
  const forms = new Map();
  /** Answers that the server refused, in its words: the question is often settled by then, and its form gone. */
  const notTaken = new Map();

  const head = h('header', { class: 'incident-head' });
  const questions = h('section', { class: 'questions' });
  const explanation = h('section', { class: 'card explanation', 'aria-labelledby': 'explanation-title' });
  const missions = h('section', { class: 'card missions', 'aria-labelledby': 'missions-title' });
  const timeline = h('section', { class: 'card timeline', 'aria-labelledby': 'timeline-title' });
  const commands = createCommands(state, path, () => void load());
  const element = h(
    'div',
    { class: 'incident-page' },
    ...[head, questions, explanation, missions, timeline, commands.element],
  );

  async function load() {
    if (loading) {
      again = true;
      return;
    }
    loading = true;
    try {
      const after = facts.at(-1)?.seq ?? -1;
      const [view, more] = await Promise.all([get(path), get(`${path}/facts?limit=2000&after=${after}`)]);
      incident = view;
      facts = [...facts, ...more.items];
      problem = null;
    } catch (error) {
      problem = error;
    } finally {
      loading = false;
    }
    render();
    if (again) {
      again = false;
      void load();
    }
  }

  function render() {
    renderHead();
    const known = incident !== null;
    for (const part of [questions, explanation, missions, timeline, commands.element]) part.hidden = !known;
    if (!known) return;
    renderQuestions();
    renderExplanation();
    renderMissions();
    renderTimeline();
    commands.render(incident);
    // No command can be given any more.
    if (document.activeElement?.closest('[hidden]')) head.querySelector('h1')?.focus({ preventScroll: true });
  }

  function renderHead() {
    const back = h('a', { class: 'back', href: '#/', 'data-key': 'back' }, `← ${t('back')}`);
    if (incident === null) {
      const gone = problem instanceof Refused && problem.code === 'INCIDENT_UNKNOWN';
      const words =
        problem === null
          ? t('loading')
          : gone
            ? t('unknownIncident')
            : t('couldNotLoad', { why: problem.message });
      return fill(
        head,
        back,
        h('h1', { tabindex: '-1', 'data-key': 'title' }, t('title')),
        h('p', { class: 'quiet' }, words),
      );
    }
    const assessment = incident.situation.assessment;
    document.title = `${word('hazard', incident.hazard)}, ${said(incident.place.name)} · Tocsin`;
    fill(
      head,
      back,
      h(
        'div',
        { class: 'incident-title' },
        levelBadge(incident.level),
        h(
          'h1',
          { tabindex: '-1', 'data-key': 'title' },
          `${word('hazard', incident.hazard)}, ${said(incident.place.name)}`,
        ),
        h('span', { class: `chip phase-${incident.phase}` }, t(`phase_${incident.phase}`)),
        incident.mode === 'exercise' ? h('span', { class: 'chip exercise' }, t('exercise')) : null,
      ),
      problem === null ? null : h('p', { class: 'error' }, t('couldNotLoad', { why: problem.message })),
      h(
        'dl',
        { class: 'figures' },
        figure(
          t('level'),
          incident.level === null
            ? t('levelNone')
            : `${incident.level}, ${t(`levelWord_${incident.level}`)}${
                incident.highestLevel !== incident.level && incident.highestLevel !== null
                  ? ` (${t('highest', { level: incident.highestLevel })})`
                  : ''
              }`,
        ),
        figure(t('severity'), assessment === null ? '–' : word('severity', assessment.severity)),
        figure(t('opened'), instant(incident.openedAtMs)),
        figure(t('incidentTime'), instant(incident.situation.nowMs)),
        figure(
          t('age'),
          h('span', { 'data-age-of': incident.writtenAtMs }, age(state.serverNow() - incident.writtenAtMs)),
        ),
        figure(t('evidence'), t('evidenceCount', { n: incident.evidenceCount })),
        figure(t('plan'), h('code', {}, `${incident.planId}@${incident.planHash.slice(0, 8)}`)),
      ),
      h(
        'p',
        { class: 'incident-links' },
        h('code', { class: 'incident-id' }, incident.incidentId),
        incident.webUi === null
          ? null
          : h(
              'a',
              { href: incident.webUi, target: '_blank', rel: 'noreferrer', 'data-key': 'web-ui' },
              `${t('temporal')} ↗`,
            ),
      ),
    );
  }

  const figure = (name, value) => h('div', {}, h('dt', {}, name), h('dd', {}, value));

  function renderQuestions() {
    const all = Object.values(incident.situation.questions).sort((a, b) => b.askedAtMs - a.askedAtMs);
    const openOnes = incident.waiting;
    const settled = all.filter((one) => !openOnes.some((open) => open.id === one.id));
    const [usedId] = [...forms].find(([, form]) => form.element.contains(document.activeElement)) ?? [];
    for (const id of forms.keys()) if (!openOnes.some((one) => one.id === id)) forms.delete(id);
    const cards = openOnes.map((question) => {
      const form = forms.get(question.id) ?? questionForm(question);
      forms.set(question.id, form);
      form.refresh();
      return form.element;
    });
    questions.hidden = openOnes.length === 0 && settled.length === 0;
    fill(
      questions,
      openOnes.length === 0 ? null : h('h2', {}, t('questions')),
      cards,
      settled.length === 0
        ? null
        : h(
            'ul',
            { class: 'settled' },
            settled.map((question) =>
              h(
                'li',
                { tabindex: '-1', 'data-key': settledKey(question.id) },
                h('span', {}, said(question.text)),
                ' ',
                h(
                  'strong',
                  {},
                  question.answer === undefined
                    ? t('expired', { what: otherwiseWords(question) })
                    : t('answered', { by: question.answer.by, choice: choiceWords(question.answer.choice) }),
                ),
                question.answer?.reason
                  ? h('span', { class: 'quiet' }, ` “${question.answer.reason}”`)
                  : null,
                notTaken.has(question.id) ? h('p', { class: 'note error' }, notTaken.get(question.id)) : null,
              ),
            ),
          ),
    );
    // The form that the keyboard was in is gone, and what came of its question stands here.
    if (usedId !== undefined && !forms.has(usedId)) {
      questions
        .querySelector(`[data-key="${CSS.escape(settledKey(usedId))}"]`)
        ?.focus({ preventScroll: true });
    }
  }

  const settledKey = (questionId) => `settled-${questionId}`;

  function questionForm(question) {
    const reasonId = `reason-${question.id}`;
    const reason = h('input', {
      id: reasonId,
      type: 'text',
      maxlength: '2000',
      autocomplete: 'off',
      'data-key': reasonId,
    });
    const text = h('p', { class: 'question-text' });
    const foot = h('p', { class: 'question-foot' });
    const label = h('label', { for: reasonId });
    const buttons = h('div', { class: 'buttons' });
    const note = h('p', { class: 'note', role: 'status' });
    let busy = false;

    async function answer(choice) {
      if (busy) return;
      busy = true;
      note.textContent = t('sending');
      note.classList.remove('error');
      try {
        await post(`${path}/answers`, { questionId: question.id, choice, reason: reason.value });
        note.textContent = t('sent', { choice: choiceWords(choice) });
        state.announce(note.textContent);
      } catch (error) {
        note.textContent =
          error instanceof Refused
            ? `${error.message} (${error.code})`
            : t('couldNotLoad', { why: error.message });
        note.classList.add('error');
        notTaken.set(question.id, note.textContent);
        state.announce(note.textContent);
      }
      busy = false;
      renderQuestions();
      void load();
    }

    return {
      element: h(
        'form',
        { class: 'card question', onsubmit: (event) => event.preventDefault() },
        text,
        foot,
        h('div', { class: 'question-reason' }, label, reason),
        buttons,
        note,
      ),
      refresh() {
        const roles = state.session?.caller.roles ?? [];
        const may = roles.includes(question.role) || roles.includes('admin');
        text.textContent = said(question.text);
        label.textContent = t('reason');
        fill(
          foot,
          countdown(state, incident, question),
          h('span', {}, t('deadline', { at: instant(question.deadlineMs) })),
          h('span', {}, t('otherwise', { what: otherwiseWords(question) })),
        );
        reason.disabled = !may;
        fillAnew(buttons, [may, currentLanguage()], () => [
          question.choices.map((choice, index) =>
            h(
              'button',
              {
                type: 'button',
                class: index === 0 ? 'primary' : '',
                disabled: !may,
                'data-choice': choice,
                'data-key': `choice-${question.id}-${choice}`,
                onclick: () => void answer(choice),
              },
              choiceWords(choice),
            ),
          ),
          may ? null : h('span', { class: 'note' }, t('needsRole', { role: word('role', question.role) })),
        ]);
      },
    };
  }

  const choiceWords = (choice) => {
    const known = word('choice', choice);
    return known === plain(choice) ? word('type', choice) : known;
  };
  const otherwiseWords = (question) => word('otherwise', question.otherwise);

  function renderExplanation() {
    const assessment = incident.situation.assessment;
    fill(
      explanation,
      h('h2', { id: 'explanation-title' }, t('explanation')),
      assessment === null
        ? h('p', { class: 'quiet' }, t('notAssessed'))
        : [
            h(
              'dl',
              { class: 'figures' },
              figure(t('type'), word('type', assessment.type)),
              figure(t('confidence'), percent(assessment.confidence)),
              figure(t('decidedBy'), t(`decidedBy_${assessment.decidedBy}`)),
            ),
            assessment.doubt === ''
              ? null
              : h('p', { class: 'doubt' }, h('strong', {}, `${t('doubt')}: `), assessment.doubt),
            assessment.path.length === 0
              ? null
              : [
                  h('h3', {}, t('path')),
                  h(
                    'ol',
                    { class: 'path' },
                    assessment.path.map(({ question, answer }) =>
                      h('li', {}, h('span', {}, question), ' ', h('strong', {}, answer)),
                    ),
                  ),
                ],
            assessment.votes.length === 0 ? null : h('h3', {}, t('votes')),
            assessment.votes.map(vote),
            assessment.affected.length === 0
              ? null
              : [
                  h('h3', {}, t('affected')),
                  h(
                    'ul',
                    { class: 'affected' },
                    assessment.affected.map((effect) =>
                      h(
                        'li',
                        {},
                        h('span', {}, said(effect.place?.name) || effect.placeId),
                        h('span', {}, t('intensity', { mmi: effect.expectedMmi.toFixed(1) })),
                        h('span', {}, t('distance', { km: Math.round(effect.distanceKm) })),
                      ),
                    ),
                  ),
                ],
          ],
    );
  }

  function vote(one) {
    const probabilities = Object.entries(one.probabilities).sort(([, a], [, b]) => b - a);
    const heaviest = Math.max(...one.contributions.map(({ weight }) => Math.abs(weight)), 1e-9);
    return h(
      'article',
      { class: 'vote' },
      h(
        'h4',
        {},
        h('span', {}, one.recogniser),
        h('strong', {}, word('type', one.label)),
        h('code', { title: one.hash }, one.hash.slice(0, 8)),
      ),
      h('p', { class: 'sentence' }, said(one.sentence)),
      one.outOfRange.length === 0
        ? null
        : h('p', { class: 'doubt' }, h('strong', {}, `${t('outOfRange')}: `), one.outOfRange.join('; ')),
      h(
        'ul',
        { class: 'bars', 'aria-label': t('probabilities') },
        probabilities.map(([label, share]) =>
          h(
            'li',
            { vars: { '--share': share } },
            h('span', {}, word('type', label)),
            h('span', { class: 'track' }, h('i', {})),
            h('span', { class: 'number' }, percent(share)),
          ),
        ),
      ),
      one.contributions.length === 0
        ? null
        : [
            h('h5', {}, t('contributions')),
            h(
              'ul',
              { class: 'bars signed' },
              one.contributions.slice(0, 8).map(({ feature, value, weight }) =>
                h(
                  'li',
                  {
                    vars: { '--share': Math.abs(weight) / heaviest },
                    class: weight < 0 ? 'against' : 'for',
                  },
                  h('span', {}, `${feature} = ${value}`),
                  h('span', { class: 'track' }, h('i', {})),
                  h('span', { class: 'number' }, `${weight < 0 ? '−' : '+'}${Math.abs(weight).toFixed(2)}`),
                ),
              ),
            ),
          ],
    );
  }

  const REACHED = ['granted', 'acknowledged', 'en-route', 'on-scene', 'done'];

  function renderMissions() {
    const all = Object.values(incident.situation.missions).sort((a, b) => a.grantedAtMs - b.grantedAtMs);
    fill(
      missions,
      h(
        'h2',
        { id: 'missions-title' },
        t('missions'),
        h('span', { class: 'count plain' }, String(all.length)),
      ),
      all.length === 0
        ? h('p', { class: 'quiet' }, t('noMissions'))
        : [
            h('p', { class: 'small quiet' }, t('sinceOrder')),
            h(
              'div',
              {
                class: 'scroll',
                tabindex: '0',
                role: 'group',
                'aria-labelledby': 'missions-title',
                'data-key': 'missions-scroll',
              },
              h(
                'table',
                {},
                h(
                  'thead',
                  {},
                  h(
                    'tr',
                    {},
                    [
                      t('unit'),
                      t('capability'),
                      t('status'),
                      ...REACHED.map((name) => word('status', name)),
                      t('within'),
                    ].map((name) => h('th', { scope: 'col' }, name)),
                  ),
                ),
                h('tbody', {}, all.map(missionRow)),
              ),
            ),
          ],
    );
  }

  function missionRow(mission) {
    const order = incident.situation.orders[mission.orderId];
    const from = order?.orderedAtMs ?? mission.grantedAtMs;
    const since = (ms) =>
      ms === undefined
        ? '–'
        : h(
            'time',
            { datetime: new Date(ms).toISOString(), title: `${instant(ms)} UTC` },
            duration(ms - from),
          );
    const arrived = mission.times['on-scene'];
    const judged =
      order === undefined || arrived === undefined ? null : arrived <= order.deadlineMs ? 'inTime' : 'late';
    return h(
      'tr',
      {},
      h('th', { scope: 'row' }, mission.unit),
      h('td', {}, word('capability', mission.capability)),
      h('td', {}, h('span', { class: `chip status-${mission.status}` }, word('status', mission.status))),
      REACHED.map((name) => h('td', { class: 'number' }, since(mission.times[name]))),
      h(
        'td',
        { class: 'number' },
        order === undefined ? '–' : duration(order.deadlineMs - from),
        judged === null ? null : h('span', { class: `verdict ${judged}` }, ` ${t(judged)}`),
      ),
    );
  }

  function renderTimeline() {
    const wanted = facts.filter((fact) => stage === null || fact.stage === stage);
    const shown = wanted.slice(-FACTS_SHOWN);
    fill(
      timeline,
      h(
        'h2',
        { id: 'timeline-title' },
        t('timeline'),
        h('span', { class: 'count plain' }, String(facts.length)),
      ),
      facts.length === 0
        ? h('p', { class: 'quiet' }, t('noFacts'))
        : [
            h(
              'div',
              { class: 'stages' },
              h(
                'div',
                { class: 'stage-buttons' },
                STAGES.map((name) =>
                  h(
                    'button',
                    {
                      type: 'button',
                      class: `stage stage-${name}`,
                      'aria-pressed': String(stage === name),
                      title: t('stageFilter', { stage: t(`stage_${name}`) }),
                      'data-key': `stage-${name}`,
                      onclick: () => {
                        stage = stage === name ? null : name;
                        renderTimeline();
                      },
                    },
                    t(`stage_${name}`),
                    h(
                      'span',
                      { class: 'number' },
                      String(facts.filter((fact) => fact.stage === name).length),
                    ),
                  ),
                ),
              ),
              stageChart(facts, incident.openedAtMs, Math.max(incident.situation.nowMs, facts.at(-1).atMs)),
            ),
            shown.length < wanted.length
              ? h('p', { class: 'small quiet' }, t('olderHidden', { n: shown.length, total: wanted.length }))
              : null,
            h('ol', { class: 'facts' }, shown.map(factLine).reverse()),
          ],
    );
  }

  const factLine = (fact) =>
    h(
      'li',
      { class: `fact stage-${fact.stage}` },
      h('time', { datetime: new Date(fact.atMs).toISOString() }, instant(fact.atMs)),
      h('span', { class: 'fact-stage' }, t(`stage_${fact.stage}`)),
      h(
        'span',
        { class: 'fact-what' },
        h('strong', {}, word('fact', fact.kind)),
        detailsOf(fact).map(([name, value]) =>
          h('span', { class: 'detail' }, h('span', { class: 'detail-name' }, name), ' ', value),
        ),
      ),
    );

  return { element, load, render, changed: (id) => id === incidentId && void load() };
}
