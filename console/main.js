import { fill, h } from './dom.js';
import { age, instant } from './format.js';
import { createIncidentPage } from './incident.js';
import { createProposalPage } from './proposal.js';
import { createListPage, leftWords } from './list.js';
import { forgetKey, get, keepKey, keyGiven, listen, Refused, takeKeyFromAddress } from './server.js';
import { currentLanguage, said, setLanguage, t, TEXT, word } from './text.js';

/** Longer without a word from the server, and the screen says so. */
const STALE_AFTER_MS = 5_000;

const state = {
  incidents: new Map(),
  proposals: [],
  session: null,
  /** performance.now() of the last word from the server; null before the first. */
  heardAt: null,
  /** Server's clock at that moment, and when it last read its store. */
  serverMs: Date.now(),
  asOfMs: null,
  refused: null,
  keyRefused: false,
  serverNow: () => state.serverMs + (state.heardAt === null ? 0 : performance.now() - state.heardAt),
  timeLeft: (incident, question) =>
    question.deadlineMs - (incident.clock === 'feed' ? incident.nowMs : state.serverNow()),
  announce(words) {
    document.getElementById('announcer').textContent = words;
  },
};

const bar = document.getElementById('bar');
const banners = document.getElementById('banners');
const main = document.getElementById('main');
let page = null;
let signingIn = false;
/** Stays while somebody types into it, whatever is drawn anew around it. */
let signInForm = null;
let planned = false;
let bannersShown = '';
const startedAt = performance.now();

takeKeyFromAddress();
renderFrame();
show();
const listenAgain = listen(onEvent, onLost);
void enter();
setInterval(tick, 1_000);
window.addEventListener('hashchange', () => {
  const before = keyGiven();
  takeKeyFromAddress();
  if (keyGiven() !== before) void changeKey();
  show();
  main.querySelector('h1')?.focus();
  window.scrollTo(0, 0);
});
document.getElementById('skip').addEventListener('click', (event) => {
  // The address says which page is shown: the skip link must not change it.
  event.preventDefault();
  main.focus();
});

/** Learns who we are and what there is. */
async function enter() {
  try {
    state.session = await get('/v1/session');
    state.refused = state.keyRefused ? 'keyRefused' : null;
    await readLists();
  } catch (error) {
    if (error instanceof Refused && (error.status === 401 || error.status === 403)) {
      state.session = null;
      if (keyGiven() !== null) {
        // A refused key would be sent again with every request, and count as guessing.
        forgetKey();
        state.keyRefused = true;
        return enter();
      }
      state.refused = state.keyRefused ? 'keyRefused' : 'needsKey';
    }
  }
  renderFrame();
}

async function readLists() {
  const incidents = new Map();
  let cursor = '';
  do {
    const next = await get(`/v1/incidents?limit=200${cursor}`);
    for (const one of next.items) incidents.set(one.incidentId, one);
    cursor = next.nextCursor === null ? '' : `&cursor=${encodeURIComponent(next.nextCursor)}`;
  } while (cursor !== '');
  state.incidents = incidents;
  await readProposals();
  renderSoon();
  void page?.load?.();
}

async function readProposals() {
  const { items } = await get('/v1/approvals');
  state.proposals = items.filter((item) => item.kind === 'proposal');
}

async function changeKey() {
  state.keyRefused = false;
  await enter();
  listenAgain();
}

/** From the bar: the keyboard goes on from the button that has taken the other's place. */
async function changeKeyHere() {
  await changeKey();
  if (document.activeElement === document.body) {
    bar.querySelector('[data-key="sign-out"], [data-key="sign-in"]')?.focus();
  }
}

function onEvent(event, data) {
  const first = state.heardAt === null;
  state.heardAt = performance.now();
  if (event === 'hello') {
    state.serverMs = data.nowMs;
    state.asOfMs ??= data.nowMs;
    if (!data.resumed && !first) void enter();
  } else if (event === 'heartbeat') {
    state.serverMs = data.nowMs;
    state.asOfMs = data.asOfMs ?? state.asOfMs;
  } else if (event === 'incident') {
    state.serverMs = Math.max(state.serverNow(), data.writtenAtMs);
    announceChange(state.incidents.get(data.incidentId), data);
    state.incidents.set(data.incidentId, data);
    page?.changed?.(data.incidentId);
    renderSoon();
  } else if (event === 'proposal') {
    void readProposals().then(renderSoon, () => {});
    if (page?.name.startsWith('#/proposals/')) void page.load();
  }
  tick();
}

function onLost(error) {
  // The key was revoked meanwhile; one refused from the start is being handled already.
  if (error instanceof Refused && error.status === 401 && state.session !== null) void enter();
  tick();
}

function announceChange(before, now) {
  const names = { level: now.level ?? '?', hazard: word('hazard', now.hazard), place: said(now.place.name) };
  if (before === undefined) state.announce(t('announceNew', names));
  else if (now.waiting.length > before.waiting.length) state.announce(t('announceWaiting', names));
  else if (now.level !== before.level && now.level !== null) state.announce(t('announceLevel', names));
  else if (now.phase === 'closed' && before.phase !== 'closed') state.announce(t('announceClosed', names));
}

/** Chooses the page that the address names. */
function show() {
  const name = location.hash;
  if (page?.name === name) return;
  const [, room, id] = /^#\/(incidents|proposals)\/(.+)$/.exec(name) ?? [];
  const about = id === undefined ? '' : decodeURIComponent(id);
  const made =
    room === 'incidents'
      ? createIncidentPage(state, about)
      : room === 'proposals'
        ? createProposalPage(state, about)
        : createListPage(state);
  page = { ...made, name };
  fill(main, page.element);
  page.render();
  void page.load?.();
}

/** Renders once per frame, however many changes came. */
function renderSoon() {
  if (planned) return;
  planned = true;
  requestAnimationFrame(() => {
    planned = false;
    renderBanners();
    page?.render();
  });
}

function renderFrame() {
  document.documentElement.lang = currentLanguage() === 'zh' ? 'zh-CN' : 'en';
  document.getElementById('skip').textContent = t('skip');
  const caller = state.session?.caller;
  const known = caller !== undefined && keyGiven() !== null;
  if (!signingIn || known) signInForm = null;
  else if (signInForm?.language !== currentLanguage()) signInForm = createSignInForm(signInForm?.typed());
  fill(
    bar,
    h(
      'a',
      { class: 'brand', href: '#/', 'data-key': 'brand' },
      h('img', { src: '/console/icon.svg', alt: '', width: '28', height: '28' }),
      'Tocsin',
    ),
    h('p', { class: 'pulse', id: 'pulse' }),
    h(
      'div',
      { class: 'switch', role: 'group', 'aria-label': t('language') },
      Object.keys(TEXT).map((language) =>
        h(
          'button',
          {
            type: 'button',
            lang: language === 'zh' ? 'zh-CN' : 'en',
            'aria-pressed': String(currentLanguage() === language),
            'data-key': `language-${language}`,
            onclick: () => {
              setLanguage(language);
              renderFrame();
              page.render();
            },
          },
          TEXT[language].languageName,
        ),
      ),
    ),
    h(
      'div',
      { class: 'who' },
      h(
        'span',
        { class: 'who-name' },
        known
          ? t('signedInAs', {
              id: caller.id,
              roles: caller.roles.map((role) => word('role', role)).join(', '),
            })
          : t('lookingOnly'),
      ),
      known
        ? h(
            'button',
            {
              type: 'button',
              'data-key': 'sign-out',
              onclick: () => {
                forgetKey();
                void changeKeyHere();
              },
            },
            t('signOut'),
          )
        : h(
            'button',
            {
              type: 'button',
              'aria-expanded': String(signingIn),
              'data-key': 'sign-in',
              onclick: () => {
                signingIn = !signingIn;
                renderFrame();
                document.getElementById('key')?.focus();
              },
            },
            t('signIn'),
          ),
    ),
    signInForm?.element,
  );
  renderBanners();
  page?.render();
  tick();
}

function createSignInForm(typed = '') {
  const field = h('input', {
    id: 'key',
    name: 'key',
    type: 'password',
    autocomplete: 'current-password',
    required: true,
    'aria-describedby': 'key-hint',
    'data-key': 'key',
  });
  field.value = typed;
  const element = h(
    'form',
    {
      class: 'sign-in',
      onsubmit: (event) => {
        event.preventDefault();
        keepKey(field.value.trim());
        signingIn = false;
        void changeKeyHere();
      },
    },
    h('label', { for: 'key' }, t('key')),
    field,
    h('button', { type: 'submit', class: 'primary', 'data-key': 'sign-in-submit' }, t('signIn')),
    h('p', { class: 'small', id: 'key-hint' }, t('signInHint')),
  );
  return { element, language: currentLanguage(), typed: () => field.value };
}

function renderBanners() {
  const exercise =
    state.session?.mode === 'exercise' ||
    [...state.incidents.values()].some((one) => one.mode === 'exercise');
  const stale = staleness();
  const wanted = JSON.stringify([exercise, stale?.kind, state.refused, currentLanguage()]);
  if (wanted !== bannersShown) {
    bannersShown = wanted;
    fill(
      banners,
      exercise
        ? h(
            'p',
            { class: 'banner exercise' },
            h('strong', {}, t('exercise')),
            ' ',
            t('exerciseSays'),
            ' ',
            h('span', { id: 'feed-time' }),
          )
        : null,
      state.refused === null ? null : h('p', { class: 'banner stale', role: 'alert' }, t(state.refused)),
      stale === null
        ? null
        : h('p', { class: 'banner stale', role: 'alert' }, h('span', { id: 'stale-words' })),
    );
  }
  const words = document.getElementById('stale-words');
  if (words !== null && stale !== null && words.textContent !== stale.words) words.textContent = stale.words;
  const feedTime = document.getElementById('feed-time');
  if (feedTime !== null) feedTime.textContent = feedTimeWords();
  document.body.classList.toggle('is-stale', stale !== null);
}

/** The time of the feed, as far as any incident has heard; nothing when all run by the wall clock. */
function feedTimeWords() {
  const times = [...state.incidents.values()]
    .filter(({ clock }) => clock === 'feed')
    .map(({ nowMs }) => nowMs);
  return times.length === 0 ? '' : t('feedNow', { at: instant(Math.max(...times)) });
}

/** Why what is shown may not be so any more; null while it is current. */
function staleness() {
  if (state.heardAt === null) {
    return performance.now() - startedAt > STALE_AFTER_MS ? { kind: 'never', words: t('staleNever') } : null;
  }
  const silentMs = performance.now() - state.heardAt;
  if (silentMs > STALE_AFTER_MS) {
    return {
      kind: 'silent',
      words: t('stale', { age: age(silentMs), at: instant(state.asOfMs ?? state.serverMs) }),
    };
  }
  const storeMs = state.serverMs - (state.asOfMs ?? state.serverMs);
  if (storeMs > STALE_AFTER_MS) return { kind: 'store', words: t('storeStale', { age: age(storeMs) }) };
  return null;
}

/** What changes by time alone. */
function tick() {
  const stale = staleness();
  const pulse = document.getElementById('pulse');
  if (pulse !== null) {
    const heard = state.heardAt !== null;
    pulse.className = `pulse ${stale !== null ? 'lost' : heard ? 'alive' : ''}`;
    pulse.textContent = !heard
      ? t('connecting')
      : `${stale === null ? `${t('live')}, ` : ''}${t('dataAge', { age: age(state.serverNow() - (state.asOfMs ?? state.serverMs)) })}`;
  }
  for (const element of document.querySelectorAll('[data-age-of]')) {
    element.textContent = age(state.serverNow() - Number(element.dataset.ageOf));
  }
  for (const element of document.querySelectorAll('[data-deadline]')) {
    const left = Number(element.dataset.deadline) - state.serverNow();
    element.textContent = leftWords(left);
    element.classList.toggle('urgent', left < 60_000);
  }
  renderBanners();
}
