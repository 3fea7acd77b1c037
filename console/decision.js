import { fillAnew, h } from './dom.js';
import { post, Refused } from './server.js';
import { currentLanguage, t } from './text.js';

/**
 * A form that sends something with a reason: choices as buttons, and what came of it below. A grave choice is
 * pressed twice: the second press within 10 s sends it, anything else takes it back.
 *
 * @param {object} options
 * @param {string} options.id unique on the page
 * @param {(message: string) => void} options.announce
 * @param {(choice: string, reason: string) => { path: string, body: object, headers?: Record<string, string> }} options.request
 * @param {(choice: string) => string} options.sent what to say when it was taken
 * @param {() => void} options.done
 */
export function createDecision({ id, announce, request, sent, done }) {
  const reasonId = `reason-${id}`;
  const reason = h('input', {
    id: reasonId,
    type: 'text',
    maxlength: '2000',
    autocomplete: 'off',
    'data-key': reasonId,
  });
  const label = h('label', { for: reasonId });
  const buttons = h('div', { class: 'buttons' });
  const note = h('p', { class: 'note', role: 'status' });
  let busy = false;
  let armed = null;
  let disarm;
  let shown = null;

  function say(words, isError = false) {
    note.textContent = words;
    note.classList.toggle('error', isError);
  }

  async function send(choice) {
    if (reason.value.trim() === '') {
      say(t('reasonNeeded'), true);
      reason.focus();
      return;
    }
    busy = true;
    say(t('sending'));
    try {
      const { path, body, headers } = request(choice, reason.value.trim());
      await post(path, body, headers);
      say(sent(choice));
      announce(note.textContent);
      reason.value = '';
    } catch (error) {
      say(
        error instanceof Refused
          ? `${error.message} (${error.code})`
          : t('couldNotLoad', { why: error.message }),
        true,
      );
    }
    busy = false;
    done();
  }

  function press({ choice, grave }) {
    if (busy) return;
    clearTimeout(disarm);
    if (grave && armed !== choice) {
      armed = choice;
      disarm = setTimeout(takeBack, 10_000);
      say(t('pressAgain'));
    } else {
      armed = null;
      void send(choice);
    }
    refresh(shown);
  }

  function takeBack() {
    clearTimeout(disarm);
    const choice = armed;
    const isHere = buttons.contains(document.activeElement);
    armed = null;
    refresh(shown);
    // The button that took it back is gone.
    if (isHere && !buttons.contains(document.activeElement)) {
      buttons.querySelector(`[data-choice="${choice}"]`)?.focus();
    }
  }

  /** @param {{ choices: { choice: string, words: string, primary?: boolean, grave?: boolean }[], refusal: string | null }} next */
  function refresh(next) {
    shown = next;
    label.textContent = t('reasonRequired');
    reason.disabled = next.refusal !== null;
    fillAnew(buttons, [next, armed, currentLanguage()], () => [
      next.choices.map((one) =>
        h(
          'button',
          {
            type: 'button',
            class: armed === one.choice ? 'armed' : one.primary ? 'primary' : '',
            disabled: next.refusal !== null,
            'data-choice': one.choice,
            'data-key': `choice-${id}-${one.choice}`,
            onclick: () => press(one),
          },
          armed === one.choice ? t('confirm', { what: one.words }) : one.words,
        ),
      ),
      armed === null
        ? null
        : h(
            'button',
            {
              type: 'button',
              'data-key': `cancel-${id}`,
              onclick: () => {
                say('');
                takeBack();
              },
            },
            t('cancel'),
          ),
      next.refusal === null ? null : h('span', { class: 'note' }, next.refusal),
    ]);
  }

  const element = h(
    'form',
    { class: 'decision', onsubmit: (event) => event.preventDefault() },
    h('div', { class: 'question-reason' }, label, reason),
    buttons,
    note,
  );
  return { element, refresh };
}
