import { fill, fillAnew, h } from './dom.js';
import { LEVELS, levelMark } from './level.js';
import { MORE, placeNames, SIDES } from './names.js';
import { said, t, word } from './text.js';

const WORLD_WIDTH = 360;
const WORLD_HEIGHT = 180;
/** The ice caps hold no incidents: the whole world begins below the northern one. */
const TOP = 8;
const SMALLEST_WIDTH = 12;
/** From the middle of a marker to the outside of the ring that shows the focus, and a little room, in pixels. */
const REACH = 24;

/**
 * Map of the world in plate carrée with a marker per place. The list holds the same incidents: the map is a
 * second way to them, not the only one.
 */
export function createMap({ open }) {
  let view = { x: 0, y: TOP, width: WORLD_WIDTH, height: 142 };
  let incidents = [];
  /** What is on the map, most serious first. */
  let shownPlaces = [];
  /** The place that the pointer or the focus is on. Its name goes before all others. */
  let pointed = null;
  let moved = false;
  /** While the focus is given back to a marker that was drawn anew: whoever looks elsewhere meanwhile goes on. */
  let restoring = false;

  const land = h('svg:path', { class: 'land' });
  const grid = h('svg:path', { class: 'grid', d: gridPath() });
  const markers = h('svg:g');
  // Over all markers. What is seen; the links themselves say it in words.
  const names = h('svg:g', { class: 'marker-names', 'aria-hidden': 'true' });
  const svg = h('svg:svg', {
    class: 'map',
    preserveAspectRatio: 'xMidYMid meet',
    role: 'group',
    tabindex: '0',
    'data-key': 'map',
    onkeydown: onKey,
    onpointerdown: onDrag,
    onpointerover: ({ target }) => point(placeOf(target) ?? placeOf(document.activeElement)),
    onpointerleave: () => point(placeOf(document.activeElement)),
    onfocusin: onFocus,
    onfocusout: () => point(null),
  });
  svg.append(grid, land, markers, names);
  const hint = h('p', { class: 'unseen', id: 'map-hint' });
  const tools = h('div', { class: 'map-tools' });
  const element = h('div', { class: 'map-frame' }, svg, tools, hint);
  svg.setAttribute('aria-describedby', 'map-hint');

  fetch('/map/land.json')
    .then((response) => response.json())
    .then(({ path }) => land.setAttribute('d', path))
    .catch(() => element.classList.add('no-land'));

  function button(label, sign, act) {
    return h(
      'button',
      { type: 'button', 'aria-label': label, title: label, onclick: act, 'data-key': `map-${sign}` },
      sign,
    );
  }

  /** Height for a width, by the shape of the frame: the whole view is always visible. */
  const ratio = () => (svg.clientWidth === 0 ? 142 / 360 : svg.clientHeight / svg.clientWidth);

  /** The whole world, as far as its shape allows. */
  const widest = () => Math.min(WORLD_WIDTH, WORLD_HEIGHT / ratio());

  /** Down to the tools, in pixels; the whole where they stand below the map. */
  const freeHeight = () => Math.min(svg.clientHeight, tools.offsetTop);

  function look(next) {
    const width = Math.min(widest(), Math.max(SMALLEST_WIDTH, next.width));
    const height = width * ratio();
    // Over its edges the world can be moved so far that a marker there is seen whole, and not under the tools.
    const pixel = width / Math.max(svg.clientWidth, 1);
    const beside = REACH * pixel;
    const under = (svg.clientHeight - freeHeight() + REACH) * pixel;
    view = {
      width,
      height,
      x: Math.min(WORLD_WIDTH - width + beside, Math.max(-beside, next.x)),
      y: Math.min(WORLD_HEIGHT - height + under, Math.max(-beside, next.y)),
    };
    draw();
  }

  /**
   * Moves the map until a marker and its ring are seen whole, and not under the tools: to its middle where the marker is
   * outside, else no farther than it must.
   */
  function bringIntoView(id) {
    const place = shownPlaces.find((one) => one.id === id);
    if (place === undefined) return;
    const isOut =
      place.x < view.x || place.x > view.x + view.width || place.y < view.y || place.y > view.y + view.height;
    if (isOut) look({ ...view, x: place.x - view.width / 2, y: place.y - view.height / 2 });
    const pixels = Math.max(svg.clientWidth, 1) / view.width;
    const x = (place.x - view.x) * pixels;
    const y = (place.y - view.y) * pixels;
    const shownX = within(x, svg.clientWidth);
    const shownY = within(y, shownX + REACH <= tools.offsetLeft ? svg.clientHeight : freeHeight());
    if (x === shownX && y === shownY) return;
    look({ ...view, x: view.x + (x - shownX) / pixels, y: view.y + (y - shownY) / pixels });
  }

  const lookAtWorld = () => look({ x: 0, y: TOP, width: WORLD_WIDTH });

  function zoom(factor) {
    moved = true;
    const width = view.width * factor;
    look({
      width,
      x: view.x + (view.width - width) / 2,
      y: view.y + (view.height - width * ratio()) / 2,
    });
  }

  function pan(dx, dy) {
    moved = true;
    look({ ...view, x: view.x + dx * view.width, y: view.y + dy * view.height });
  }

  function fit() {
    const points = incidents.map(({ place }) => [place.longitudeDeg + 180, 90 - place.latitudeDeg]);
    if (points.length === 0) return lookAtWorld();
    const xs = points.map(([x]) => x);
    const ys = points.map(([, y]) => y);
    const wide = Math.max(...xs) - Math.min(...xs);
    const high = Math.max(...ys) - Math.min(...ys);
    const width = Math.min(widest(), Math.max(60, wide * 1.35, (high * 1.6) / ratio()));
    const reach = (REACH * width) / Math.max(svg.clientWidth, 1);
    /** Around the middle of them, and over the edge of the world only as far as a marker there needs. */
    const begin = (points, length, world) => {
      const [first, last] = [Math.min(...points), Math.max(...points)];
      const at = Math.min((first + last - length) / 2, Math.max(world, last + reach) - length);
      return Math.max(Math.min(0, first - reach), at);
    };
    look({
      width,
      x: begin(xs, width, WORLD_WIDTH),
      y: begin(ys, width * ratio(), WORLD_HEIGHT),
    });
  }

  /** As it was chosen, or all incidents; the marker that the keyboard is on stays in view. */
  function settle() {
    if (moved) look(view);
    else fit();
    bringIntoView(placeOf(markers.querySelector('a:focus-visible')));
  }

  function onFocus({ target }) {
    const id = placeOf(target);
    point(id);
    // Not for the pointer: the marker would go away from under it before it is clicked.
    if (id === null || restoring || !target.matches(':focus-visible')) return;
    bringIntoView(id);
    // The browser goes by where the marker was, which may have been far down the page.
    svg.scrollIntoView({ block: 'nearest' });
    target.scrollIntoView({ block: 'nearest' });
  }

  function onKey(event) {
    if (event.target !== svg) return;
    const moves = { ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, -0.15], ArrowDown: [0, 0.15] };
    if (event.key in moves) pan(...moves[event.key]);
    else if (event.key === '+' || event.key === '=') zoom(0.6);
    else if (event.key === '-') zoom(1 / 0.6);
    else return;
    event.preventDefault();
  }

  function onDrag(event) {
    if (placeOf(event.target) !== null || event.button !== 0) return;
    const from = { x: event.clientX, y: event.clientY, view: { ...view } };
    const scale = view.width / svg.clientWidth;
    const move = (next) => {
      moved = true;
      look({
        ...from.view,
        x: from.view.x - (next.clientX - from.x) * scale,
        y: from.view.y - (next.clientY - from.y) * scale,
      });
    };
    svg.setPointerCapture(event.pointerId);
    svg.addEventListener('pointermove', move);
    svg.addEventListener('pointerup', () => svg.removeEventListener('pointermove', move), { once: true });
    svg.addEventListener('pointercancel', () => svg.removeEventListener('pointermove', move), { once: true });
  }

  function draw() {
    svg.setAttribute('viewBox', `${view.x} ${view.y} ${view.width} ${view.height}`);
    // Markers keep their size on the screen, whatever the zoom and the width of the window.
    const pixels = Math.max(svg.clientWidth, 1) / view.width;
    for (const { x, y, marker, name } of shownPlaces) {
      const transform = `translate(${x} ${y}) scale(${1 / pixels})`;
      marker.setAttribute('transform', transform);
      name.setAttribute('transform', transform);
    }
    drawNames(pixels);
  }

  function drawNames(pixels) {
    const byImportance = [
      ...shownPlaces.filter(({ id }) => id === pointed),
      ...shownPlaces.filter(({ id }) => id !== pointed),
    ];
    const sides = placeNames(
      byImportance.map(({ x, y, name, more }) => ({
        x: (x - view.x) * pixels,
        y: (y - view.y) * pixels,
        nameWidth: widthOf(name),
        moreWidth: widthOf(more),
      })),
      { width: svg.clientWidth, height: svg.clientHeight },
    );
    byImportance.forEach(({ id, name }, n) => {
      const side = sides[n];
      name.setAttribute('visibility', side === null ? 'hidden' : 'visible');
      name.classList.toggle('pointed', id === pointed);
      if (side === null) return;
      const { x, y, anchor } = SIDES[side];
      name.setAttribute('x', x);
      name.setAttribute('y', y);
      name.setAttribute('text-anchor', anchor);
    });
  }

  function point(id) {
    if (id === pointed) return;
    pointed = id;
    // A name that was made room for can be sent away without moving the pointer or the focus.
    if (id === null) document.removeEventListener('keydown', onEscape);
    else document.addEventListener('keydown', onEscape);
    draw();
  }

  function onEscape(event) {
    if (event.key === 'Escape') point(null);
  }

  function openPlace(incidentId) {
    point(null);
    open(incidentId);
  }

  /** The marker and the name of a place, for what happens there. */
  function drawnPlace(group) {
    const [first] = group;
    const { place: where } = first;
    const words = t('markerOf', {
      level: first.level ?? '?',
      hazard: word('hazard', first.hazard),
      place: said(where.name),
      state: t(`phase_${first.phase}`),
    });
    const past = first.phase === 'closed' ? 'past' : '';
    const more =
      group.length > 1
        ? h('svg:text', { class: 'marker-more', ...MORE }, t('more', { n: group.length - 1 }))
        : null;
    const marker = h(
      'svg:g',
      { class: past, 'data-place': where.id },
      h(
        'svg:a',
        {
          href: `#/incidents/${encodeURIComponent(first.incidentId)}`,
          'aria-label': group.length > 1 ? `${words} (${t('more', { n: group.length - 1 })})` : words,
          'data-key': `marker-${where.id}`,
          onclick: (event) => {
            event.preventDefault();
            openPlace(first.incidentId);
          },
        },
        h('svg:title', {}, words),
        h('svg:circle', { r: 19, class: 'halo' }),
      ),
      // What is seen; the link itself says it in words.
      h('svg:g', { class: 'marker-face', 'aria-hidden': 'true' }, levelMark(first.level), more),
    );
    const name = h(
      'svg:text',
      {
        class: `marker-name ${past}`,
        'data-place': where.id,
        onclick: () => openPlace(first.incidentId),
      },
      said(where.name),
    );
    return { id: where.id, x: where.longitudeDeg + 180, y: 90 - where.latitudeDeg, marker, name, more };
  }

  new ResizeObserver(settle).observe(svg);

  return {
    element,
    show(shown) {
      incidents = shown;
      svg.setAttribute('aria-label', t('map'));
      hint.textContent = t('mapHint');
      fillAnew(tools, t('map'), () => [
        button(t('zoomIn'), '+', () => zoom(0.6)),
        button(t('zoomOut'), '−', () => zoom(1 / 0.6)),
        button(t('fitIncidents'), '⊡', () => {
          moved = false;
          fit();
        }),
        button(t('wholeWorld'), '◯', () => {
          moved = true;
          lookAtWorld();
        }),
      ]);
      const groups = new Map();
      for (const one of incidents) groups.set(one.place.id, [...(groups.get(one.place.id) ?? []), one]);
      shownPlaces = [...groups.values()]
        .map((group) => group.sort(moreSerious))
        .sort(([a], [b]) => moreSerious(a, b))
        .map(drawnPlace);
      const focused = placeOf(document.activeElement);
      names.replaceChildren(...shownPlaces.map(({ name }) => name));
      restoring = true;
      // The most serious last: it is drawn over the others.
      fill(markers, shownPlaces.map(({ marker }) => marker).reverse());
      restoring = false;
      // The focus was on a marker that is gone: it goes on from the map.
      if (focused !== null && placeOf(document.activeElement) === null) svg.focus({ preventScroll: true });
      if (!moved) settle();
      draw();
    },
  };
}

/** Where a marker is seen whole along one side of the map, nearest to where it is. */
const within = (at, pixels) => Math.min(pixels - REACH, Math.max(REACH, at));

/** In pixels, by the font that is really there. Nothing while it is not in the page: browsers differ on that. */
const widthOf = (text) => (text?.isConnected ? text.getComputedTextLength() : 0);

const placeOf = (node) => node?.closest?.('[data-place]')?.dataset.place ?? null;

const rank = ({ level, phase }) =>
  (phase === 'closed' ? 10 : 0) + (level === null ? 4 : LEVELS.indexOf(level));
export const moreSerious = (a, b) => rank(a) - rank(b) || b.openedAtMs - a.openedAtMs;

function gridPath() {
  let path = '';
  for (let x = 30; x < 360; x += 30) path += `M${x} 0V180`;
  for (let y = 30; y < 180; y += 30) path += `M0 ${y}H360`;
  return path;
}
