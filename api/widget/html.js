/** Formatted answers: the server's sanitised markup is read inertly and rebuilt from a short allow-list. */

import { h } from "./dom.js";

const KEPT = new Set([
  "p", "br", "strong", "b", "em", "i", "ul", "ol", "li", "code", "pre", "blockquote", "table", "thead", "tbody", "tr",
  "th", "td", "a",
]);
const DROPPED = new Set([
  "script", "style", "template", "iframe", "object", "embed", "svg", "math", "noscript", "title", "head", "textarea",
  "select", "option", "xmp", "plaintext", "noembed", "noframes", "frameset", "base", "link", "meta",
]);
const DEEPEST = 12;

/** The only place of the widget where markup is parsed; the document it makes never runs or loads anything. */
const inert = window.trustedTypes?.createPolicy("mayak-inert", { createHTML: (markup) => markup });

/** Return a fragment with the allowed part of `markup`; falls back to `text` when nothing is left. */
export function formatted(markup, text) {
  const fragment = document.createDocumentFragment();
  if (typeof markup === "string" && markup.includes("<")) {
    const source = inert ? inert.createHTML(markup) : markup;
    const parsed = new DOMParser().parseFromString(source, "text/html");
    copy(parsed.body, fragment, 0);
  }
  if (!fragment.textContent.trim()) fragment.replaceChildren(...paragraphs(text));
  return fragment;
}

function copy(from, to, depth) {
  for (const node of from.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) to.append(node.data);
    if (node.nodeType !== Node.ELEMENT_NODE) continue;
    const name = node.localName;
    if (DROPPED.has(name)) continue;
    if (!KEPT.has(name) || depth >= DEEPEST) {
      copy(node, to, depth);
      continue;
    }
    const element = h(name, name === "a" ? { link: node.getAttribute("href") } : {});
    copy(node, element, depth + 1);
    to.append(element);
  }
}

/** Plain text as paragraphs; single line breaks stay, as the style sheet keeps them. */
export function paragraphs(text) {
  return String(text ?? "").split(/\n{2,}/).map((part) => h("p", { text: part }));
}

/**
 * Insert a node after each of `marks` ({text, node}) where `text` ends inside `root`; those that
 * are not found, in order, are left out.
 */
export function insertAfter(root, marks) {
  const pieces = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  let whole = "";
  while (walker.nextNode()) {
    pieces.push({ node: walker.currentNode, start: whole.length });
    whole += walker.currentNode.data;
  }
  const found = [];
  let cursor = 0;
  for (const mark of marks) {
    const at = mark.text ? whole.indexOf(mark.text, cursor) : -1;
    if (at < 0) continue;
    cursor = at + mark.text.length;
    found.push({ at: cursor, node: mark.node });
  }
  for (const { at, node } of found.reverse()) {
    const piece = pieces.findLast((one) => one.start < at);
    const rest = piece.node.splitText(at - piece.start);
    rest.parentNode.insertBefore(node, rest);
  }
}
