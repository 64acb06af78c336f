/** The receipt of an answer: documents, personal data with what it rests on, who read the message, what is remembered. */

import { h } from "./dom.js";
import { say } from "./texts.js";

/** `receipt.told` comes in the customer's words; `openSource(passage)` shows a document's passage. */
export function receiptContent(receipt, openSource) {
  const sections = listOf(receipt.told).map((section) => sectionOf(section, openSource));
  const warning = words(receipt.warning);
  return [warning ? h("p", { class: "hint", text: warning }) : null, ...sections, h("dl", { class: "numbers" }, numbers(receipt))].flat();
}

/** The last `aside` lines did not get into the answer: they stand folded, so that data and models are seen at once. */
function sectionOf(section, openSource) {
  const lines = listOf(section.lines);
  const aside = section.folded ? Number(section.aside) || 0 : 0;
  const shown = lines.slice(0, lines.length - aside).map((line) => lineOf(line, openSource));
  const folded = lines.slice(lines.length - aside).map((line) => lineOf({ ...line, note: "" }, openSource));
  return [
    h("h3", { text: words(section.title) }),
    h("div", { "data-section": words(section.name) },
      shown.length ? h("ul", { class: "facts" }, shown) : null,
      folded.length ? h("details", {}, h("summary", { text: words(section.folded) }), h("ul", { class: "facts" }, folded)) : null),
  ];
}

function lineOf(line, openSource) {
  const passage = words(line.passage);
  const text = passage
    ? h("button", { class: "source", type: "button", on: { click: () => openSource(passage) } }, h("span", { class: "source-title", text: words(line.text) }))
    : h("span", { text: words(line.text) });
  return h("li", {}, text, line.note ? h("span", { class: "hint", text: words(line.note) }) : null);
}

function numbers(receipt) {
  const rows = [];
  if (typeof receipt.confidence === "number") {
    rows.push(["receipt.confidence", say("receipt.confidence.value", { percent: Math.round(receipt.confidence * 100) })]);
  }
  if (receipt.turn) rows.push(["receipt.turn", words(receipt.turn)]);
  return rows.map(([key, value]) => h("div", {}, h("dt", { text: say(key) }), h("dd", { text: value })));
}

const listOf = (value) => (Array.isArray(value) ? value.filter((one) => one && typeof one === "object") : []);
const words = (value) => String(value ?? "");
