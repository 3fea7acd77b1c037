import { createDecision } from './decision.js';
import { fill, h } from './dom.js';
import { instant } from './format.js';
import { get, Refused } from './server.js';
import { said, t, word } from './text.js';

export const proposalAddress = (proposalId) => `#/proposals/${encodeURIComponent(proposalId)}`;

const FIGURES = ['incidents', 'nuisance', 'severe', 'severeMissed', 'unitsSent', 'humansAsked'];

/** One proposed change of a plan: what would change, what it rests on, what a rehearsal says, and the decision. */
export function createProposalPage(state, proposalId) {
  const path = `/v1/proposals/${encodeURIComponent(proposalId)}`;
  let proposal = null;
  let problem = null;
  const head = h('header', { class: 'incident-head' });
  const change = h('section', { class: 'card' });
  const rehearsal = h('section', { class: 'card' });
  const verdict = h('section', { class: 'card question' });
  const decision = createDecision({
    id: 'proposal',
    announce: (message) => state.announce(message),
    request: (choice, reason) => ({
      path: `${path}/decision`,
      body: { approve: choice === 'approve', reason },
    }),
    sent: (choice) => t('sent', { choice: word('choice', choice) }),
    done: () => void load(),
  });
  const element = h('div', { class: 'proposal-page' }, head, change, rehearsal, verdict);

  async function load() {
    try {
      proposal = await get(path);
      problem = null;
    } catch (error) {
      problem = error;
    }
    render();
  }

  function render() {
    const back = h('a', { class: 'back', href: '#/', 'data-key': 'back' }, `← ${t('back')}`);
    const known = proposal !== null;
    for (const part of [change, rehearsal, verdict]) part.hidden = !known;
    if (!known) {
      const gone = problem instanceof Refused && problem.code === 'PROPOSAL_UNKNOWN';
      const words =
        problem === null
          ? t('loading')
          : gone
            ? t('unknownProposal')
            : t('couldNotLoad', { why: problem.message });
      fill(
        head,
        back,
        h('h1', { tabindex: '-1', 'data-key': 'title' }, t('proposal')),
        h('p', { class: 'quiet' }, words),
      );
      return;
    }
    document.title = `${t('proposal')} ${proposal.id} · Tocsin`;
    fill(
      head,
      back,
      h('h1', { tabindex: '-1', 'data-key': 'title' }, `${t('proposal')} ${proposal.id}`),
      h(
        'p',
        { class: 'quiet' },
        t('proposalHint', { at: instant(proposal.atMs), n: proposal.evidence.length }),
      ),
    );
    renderChange();
    renderRehearsal();
    renderVerdict();
  }

  function renderChange() {
    fill(
      change,
      h('h2', {}, t('wouldChange')),
      h(
        'ul',
        {},
        proposal.changes.map(({ path: where, from, to, reason }) =>
          h(
            'li',
            {},
            h('code', {}, where),
            ` ${from} → `,
            h('strong', {}, String(to)),
            h('p', {}, said(reason)),
          ),
        ),
      ),
    );
  }

  function renderRehearsal() {
    const { before, after } = proposal.rehearsal;
    fill(
      rehearsal,
      h('h2', {}, t('rehearsal')),
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col' }, t('figure')),
            h('th', { scope: 'col' }, t('before')),
            h('th', { scope: 'col' }, t('after')),
          ),
        ),
        h(
          'tbody',
          {},
          FIGURES.map((name) =>
            h(
              'tr',
              {},
              h('th', { scope: 'row' }, t(`figure_${name}`)),
              h('td', {}, String(before[name])),
              h(
                'td',
                {},
                before[name] === after[name] ? String(after[name]) : h('strong', {}, String(after[name])),
              ),
            ),
          ),
        ),
      ),
    );
  }

  function renderVerdict() {
    const { decision: taken, approvedBy } = proposal;
    const roles = state.session?.caller.roles ?? [];
    const may = roles.includes(approvedBy) || roles.includes('admin');
    decision.refresh({
      choices: [
        { choice: 'approve', words: word('choice', 'approve'), primary: true },
        { choice: 'refuse', words: word('choice', 'refuse') },
      ],
      refusal: may ? null : t('needsRole', { role: word('role', approvedBy) }),
    });
    fill(
      verdict,
      h('h2', {}, t('decision')),
      taken === null
        ? decision.element
        : h(
            'p',
            {},
            t(taken.approve ? 'wasApproved' : 'wasRefused', { by: taken.by, at: instant(taken.atMs) }),
            taken.reason ? h('span', { class: 'quiet' }, ` “${taken.reason}”`) : null,
          ),
    );
  }

  return { element, render, load };
}
