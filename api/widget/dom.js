/** Elements are built here, attribute by attribute; no string is ever parsed as markup. */

const SVG = "http://www.w3.org/2000/svg";
const FORBIDDEN = /^(on|style$|srcdoc$|href$|src$|action$|formaction$)/i;

/**
 * Build an element. `props`: `class`, `text`, `on` ({event: listener}), `link` (a checked address),
 * booleans and plain attributes. Children are nodes, strings or nothing.
 */
export function h(name, props = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(props)) set(element, key, value);
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}

function set(element, key, value) {
  if (value === null || value === undefined || value === false) return;
  if (key === "class") element.className = value;
  else if (key === "text") element.textContent = value;
  else if (key === "on") listen(element, value);
  else if (key === "link") link(element, value);
  else if (FORBIDDEN.test(key)) throw new Error(`The attribute ${key} is not set this way`);
  else element.setAttribute(key, value === true ? "" : value);
}

function listen(element, listeners) {
  for (const [event, listener] of Object.entries(listeners)) element.addEventListener(event, listener);
}

/** Return the address if a customer may follow it, else null: web, mail and telephone only. */
export function safeAddress(address) {
  try {
    const url = new URL(String(address).trim());
    return ["http:", "https:", "mailto:", "tel:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

function link(element, address) {
  const safe = safeAddress(address);
  if (safe === null) return;
  element.setAttribute("href", safe);
  element.setAttribute("target", "_blank");
  element.setAttribute("rel", "noopener noreferrer nofollow");
}

export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}
