/** Panels over the conversation: a source, a receipt, the customer's data, a question before a new start. */

import { h, fill } from "./dom.js";
import { paragraphs } from "./html.js";
import { icon } from "./icons.js";
import { named, pick, say } from "./texts.js";

/** One native dialog at a time: it keeps the focus inside, closes by Esc and gives the focus back. */
export class Panels {
  #dialog;
  #turn = 0;

  constructor(parent) {
    this.#dialog = h("dialog", { class: "panel", "aria-labelledby": "panel-title" });
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.close();
    });
    parent.append(this.#dialog);
  }

  get isOpen() {
    return this.#dialog.open;
  }

  close() {
    this.#turn += 1;
    this.#dialog.close();
  }

  /** Show a panel now. */
  show(title, ...content) {
    const shut = h(
      "button",
      { class: "tool", type: "button", "aria-label": say("panel.close"), on: { click: () => this.close() } },
      icon("close"),
    );
    const head = h("header", {}, h("h2", { id: "panel-title", tabindex: "-1", text: title }), shut);
    fill(this.#dialog, head, h("div", { class: "panel-body" }, content));
    if (!this.#dialog.open) this.#dialog.showModal();
    head.firstChild.focus();
  }

  /** Show a panel whose content has to be fetched; a failure is shown with a way to repeat. */
  async load(title, fetchContent) {
    const turn = ++this.#turn;
    this.show(title, h("p", { class: "hint", role: "status", text: say("loading") }));
    let content;
    try {
      content = await fetchContent();
    } catch (error) {
      const words = error.status === 404 ? say("citation.gone") : say("trouble.load");
      const again = () => this.load(title, fetchContent);
      content = [
        h("p", { role: "alert", text: words }),
        error.status === 404
          ? null
          : h("button", { class: "equal", type: "button", text: say("trouble.retry"), on: { click: again } }),
      ];
    }
    if (turn === this.#turn) this.show(title, ...content);
  }
}

/** The receipt of an answer: documents, personal data, systems asked, confidence. */
export function receiptContent(receipt, citations, openSource) {
  const documents = citations.map((source) =>
    h("li", {}, h("button", { class: "source", type: "button", on: { click: () => openSource(source) } },
      h("span", { class: "source-n", text: source.n }), h("span", { class: "source-title", text: source.title }))),
  );
  const data = listOf(receipt.data_used).map((use) =>
    h("li", {}, h("span", { text: words(use.label) || named("what", use.what) }),
      use.purpose ? h("span", { class: "hint", text: say("receipt.purpose", { purpose: named("purpose", use.purpose) }) }) : null),
  );
  const tools = listOf(receipt.tools).map((tool) =>
    h("li", {}, h("span", { text: words(tool.label) || named("tool", tool.name) }),
      h("span", { class: "hint", text: say(tool.ok === false ? "receipt.tool.failed" : "receipt.tool.ok") })),
  );
  return [
    h("h3", { text: say("receipt.documents") }),
    documents.length ? h("ul", { class: "sources" }, documents) : h("p", { class: "hint", text: say("receipt.none") }),
    h("h3", { text: say("receipt.data") }),
    data.length ? h("ul", { class: "facts" }, data) : h("p", { class: "hint", text: say("receipt.nodata") }),
    tools.length ? [h("h3", { text: say("receipt.tools") }), h("ul", { class: "facts" }, tools)] : [],
    h("dl", { class: "numbers" }, numbers(receipt)),
  ].flat();
}

function numbers(receipt) {
  const rows = [];
  if (typeof receipt.confidence === "number") {
    rows.push(["receipt.confidence", say("receipt.confidence.value", { percent: Math.round(receipt.confidence * 100) })]);
  }
  if (receipt.model) rows.push(["receipt.writer", named("model", receipt.model)]);
  if (receipt.turn) rows.push(["receipt.turn", receipt.turn]);
  return rows.map(([key, value]) => [h("dt", { text: say(key) }), h("dd", { text: value })]);
}

const listOf = (value) => (Array.isArray(value) ? value.filter((one) => one && typeof one === "object") : []);
const words = (value) => String(pick(value) ?? "");

/** What the customer allowed, each with a way to change it. */
export function dataContent(consents, change) {
  const asked = listOf(consents).filter((consent) => ["granted", "refused", "withdrawn"].includes(stateOf(consent)));
  const intro = h("p", { text: say("data.intro") });
  if (!asked.length) return [intro, h("p", { class: "hint", text: say("data.empty") })];
  return [intro, h("ul", { class: "consents" }, asked.map((consent) => consentRow(consent, change)))];
}

/** The ledger's word for the latest answer, in the widget's closed set. */
function stateOf(consent) {
  if (typeof consent.granted === "boolean") return consent.granted ? "granted" : "refused";
  const state = String(consent.state ?? "");
  return { granted: "granted", given: "granted", refused: "refused", declined: "refused", withdrawn: "withdrawn" }[state] ?? "unasked";
}

function consentRow(consent, change) {
  const granted = stateOf(consent) === "granted";
  return h(
    "li",
    { "data-purpose": consent.purpose },
    h("p", {}, h("span", { class: `chip ${granted ? "person" : "off"}`, text: say(`data.${stateOf(consent)}`) })),
    h("p", { text: words(consent.gives) || words(consent.text) }),
    consent.gives ? h("p", { class: "hint", text: words(consent.text) }) : null,
    h("button", {
      class: "equal", type: "button", text: say(granted ? "data.withdraw" : "data.allow"),
      on: { click: () => change(consent.purpose, !granted) },
    }),
  );
}

/** Ask once before the conversation leaves the window. */
export function freshContent({ yes, no }) {
  return [
    ...paragraphs(say("new.text")),
    h("div", { class: "pair" },
      h("button", { class: "equal", type: "button", text: say("new.yes"), on: { click: yes } }),
      h("button", { class: "equal", type: "button", text: say("new.no"), on: { click: no } })),
  ];
}
