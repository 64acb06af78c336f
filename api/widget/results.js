/** Cards beside an answer: an order, where a parcel is, a product. They add nothing to ask; the words stand without them. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { say } from "./texts.js";

const ICONS = { order: "box", tracking: "truck", product: "tag" };
const TONES = ["going", "good", "late", "off"];
const SIGNS = { good: "check", late: "clock", off: "close" };
const STATES = ["done", "now", "ahead"];
const WIDE = 3;
/** Rows that stand under a list of sums, apart from what is only told. */
const SUMS = ["delivery", "total"];

const words = (value) => String(value ?? "");
const listed = (value) => (Array.isArray(value) ? value.filter((one) => one && typeof one === "object") : []);

/** The cards of a message, one under another; what is not shown of many is told by number. Nothing for no cards. */
export function results(cards) {
  const known = cards.filter((card) => card.kind in ICONS).slice(0, WIDE);
  if (!known.length) return null;
  const more = words(known.at(-1).more);
  return h("div", { class: "results" }, known.map(result), more ? h("p", { class: "results-more", text: more }) : null);
}

function result(card) {
  const rows = listed(card.rows);
  const named = words(card.title);
  const sums = facts(rows.filter((row) => SUMS.includes(row.name)), "sums");
  const told = facts(rows.filter((row) => !SUMS.includes(row.name)), "facts");
  return h(
    "article",
    { class: `result ${card.kind}`, "aria-label": named, "data-subject": words(card.subject) },
    h("header", {}, h("span", { class: "result-icon" }, icon(ICONS[card.kind], 20)), h("h2", { text: named }), state(card)),
    steps(listed(card.steps)),
    card.kind === "product" ? [told, lines(card)] : [lines(card), sums, told],
    follow(card),
  );
}

function state(card) {
  const text = words(card.state);
  if (!text) return null;
  const tone = TONES.includes(card.tone) ? card.tone : "going";
  return h("span", { class: `state ${tone}` }, tone in SIGNS ? icon(SIGNS[tone], 14) : null, h("span", { text }));
}

/** The way of a parcel, from the top down; what is over, what is now and what is to come is said in words as well. */
function steps(found) {
  if (!found.length) return null;
  return h("ol", { class: "way", "aria-label": say("card.way") }, found.map((step) => {
    const at = STATES.includes(step.state) ? step.state : "ahead";
    return h(
      "li",
      { class: at, "aria-current": at === "now" ? "step" : null },
      h("span", { class: "dot" }, at === "ahead" ? null : icon("check", 12)),
      h("span", { class: "step", text: words(step.label) }),
      h("span", { class: "unseen", text: `, ${say(`card.step.${at}`)}` }),
      step.when ? h("span", { class: "step-when", text: words(step.when) }) : null,
    );
  }));
}

function lines(card) {
  const found = listed(card.lines);
  if (!found.length) return null;
  const line = (one) =>
    h(
      "li",
      {},
      h("span", { class: "line-title" }, words(one.title), one.note ? h("span", { class: "line-note", text: words(one.note) }) : null),
      one.value ? h("span", { class: "line-value", text: words(one.value) }) : null,
    );
  const rest = words(card.rest);
  return h("ul", { class: "lines" }, found.map(line), rest ? h("li", { class: "line-rest", text: rest }) : null);
}

function facts(rows, kind) {
  if (!rows.length) return null;
  return h("dl", { class: kind }, rows.map((row) =>
    h("div", { "data-name": words(row.name) }, h("dt", { text: words(row.label) }), h("dd", { text: words(row.value) }))));
}

function follow(card) {
  if (!card.link) return null;
  const link = h("a", { class: "follow", link: card.link }, words(card.link_label) || words(card.link), icon("away", 16));
  return link.hasAttribute("href") ? link : null;
}
