import { createDecision } from './decision.js';
import { fill, h } from './dom.js';
import { get, Refused } from './server.js';
import { t, word } from './text.js';

const MAY_COMMAND = ['operator', 'admin', 'duty-officer'];
const MILDEST_FIRST = ['IV', 'III', 'II', 'I'];

/** What a duty officer may tell a running response, whatever the plan says: escalate, stand down, close. */
export function createCommands(state, path, reload) {
  let severities = null;
  let about = '';
  const target = h('select', { id: 'escalate-to', 'data-key': 'escalate-to' });
  const title = h('h2', { id: 'commands-title' });
  const hint = h('p', { class: 'quiet' });
  const label = h('label', { for: 'escalate-to' });
  const escalation = h('div', { class: 'question-reason' }, label, target);
  const decision = createDecision({
    id: 'command',
    announce: (message) => state.announce(message),
    request: (kind, reason) => ({
      path: `${path}/commands`,
      body: { kind, reason, ...(kind === 'escalate' ? { severity: target.value } : {}) },
      headers: { 'idempotency-key': crypto.randomUUID() },
    }),
    sent: (kind) => t('commandSent', { what: t(`command_${kind}`) }),
    done: reload,
  });
  const element = h(
    'section',
    { class: 'card commands', 'aria-labelledby': 'commands-title' },
    title,
    hint,
    escalation,
    decision.element,
  );

  async function learnSeverities(incident) {
    const address = `/v1/plans/${encodeURIComponent(incident.planId)}/versions/${incident.planHash}`;
    if (about === address) return;
    about = address;
    try {
      severities = (await get(address)).document.severities;
    } catch (error) {
      // Without the plan nothing can be escalated to; the rest still works. A server that was away is asked again.
      if (!(error instanceof Refused)) about = '';
      return;
    }
    render(incident);
  }

  function render(incident) {
    element.hidden = incident.phase === 'closed';
    if (element.hidden) return;
    void learnSeverities(incident);
    title.textContent = t('commands');
    hint.textContent = t('commandsHint');
    label.textContent = t('escalateTo');
    const rank = (level) => MILDEST_FIRST.indexOf(level);
    const worse = Object.entries(severities ?? {})
      .filter(([, level]) => rank(level) > rank(incident.level ?? 'IV') - 1)
      .filter(([severity]) => severity !== incident.situation.assessment?.severity)
      .sort(([, a], [, b]) => rank(a) - rank(b));
    escalation.hidden = worse.length === 0;
    const chosen = target.value;
    fill(
      target,
      worse.map(([severity, level]) =>
        h(
          'option',
          { value: severity, selected: severity === chosen },
          `${word('severity', severity)} (${level})`,
        ),
      ),
    );
    const roles = state.session?.caller.roles ?? [];
    decision.refresh({
      choices: [
        ...(worse.length === 0 ? [] : [{ choice: 'escalate', words: t('command_escalate'), grave: true }]),
        { choice: 'stand-down', words: t('command_stand-down'), grave: true },
        { choice: 'close', words: t('command_close'), grave: true },
      ],
      refusal: roles.some((role) => MAY_COMMAND.includes(role))
        ? null
        : t('needsRole', { role: word('role', 'operator') }),
    });
  }

  return { element, render };
}
