const SVG = 'http://www.w3.org/2000/svg';

/**
 * Builds an element. Text children become text nodes: nothing that comes from a server is ever parsed as markup.
 *
 * @param {string} name `button`, or `svg:path` for SVG
 * @param {Record<string, unknown>} [attributes] `onclick` and its like are listeners; false and null leave out;
 *   `vars` sets CSS custom properties
 * @param {...unknown} children nodes, strings, arrays of them; null and false are left out
 */
export function h(name, attributes = {}, ...children) {
  const element = name.startsWith('svg:')
    ? document.createElementNS(SVG, name.slice(4))
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === 'vars') {
      for (const [variable, one] of Object.entries(value)) element.style.setProperty(variable, String(one));
    } else if (key.startsWith('on')) {
      element.addEventListener(key.slice(2), value);
    } else {
      element.setAttribute(key, value === true ? '' : String(value));
    }
  }
  element.append(...nodesOf(children));
  return element;
}

const nodesOf = (children) =>
  children.flat(Infinity).filter((child) => child !== null && child !== false && child !== undefined);

/**
 * Replaces what an element holds, and gives the keyboard focus back to the element that had it, by `data-key`. A node
 * that stays is not taken out in between: a button that is, while a finger is on it, is never clicked.
 */
export function fill(element, ...children) {
  const focused = element.contains(document.activeElement)
    ? document.activeElement.closest('[data-key]')?.dataset.key
    : undefined;
  const wanted = nodesOf(children).map((child) =>
    child instanceof Node ? child : document.createTextNode(child),
  );
  for (const old of [...element.childNodes]) if (!wanted.includes(old)) old.remove();
  wanted.forEach((node, n) => {
    if (element.childNodes[n] !== node) element.insertBefore(node, element.childNodes[n] ?? null);
  });
  if (focused !== undefined) {
    element.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }
}

const filledWith = new WeakMap();

/**
 * As `fill`, but only when `signature` is another than the last time: for what is pressed.
 *
 * @param {Element} element
 * @param {unknown} signature everything that the children depend on, as JSON
 * @param {() => unknown} children
 */
export function fillAnew(element, signature, children) {
  const wanted = JSON.stringify(signature);
  if (filledWith.get(element) === wanted) return;
  filledWith.set(element, wanted);
  fill(element, children());
}
