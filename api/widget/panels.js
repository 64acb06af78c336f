/** Panels over the conversation; what stands in them is made by others. */

import { h, fill } from "./dom.js";
import { paragraphs } from "./html.js";
import { icon } from "./icons.js";
import { say } from "./texts.js";

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
    this.#put(title, content, null);
  }

  /** `back` leads to the panel this one was opened from. */
  #put(title, content, back) {
    const last = back
      ? h("button", { class: "tool", type: "button", "aria-label": say("panel.back"), title: say("panel.back"), on: { click: back } }, icon("back"))
      : null;
    const shut = h(
      "button",
      { class: "tool", type: "button", "aria-label": say("panel.close"), on: { click: () => this.close() } },
      icon("close"),
    );
    const heading = h("h2", { id: "panel-title", tabindex: "-1", text: title });
    // A long text without a button in it must scroll by keys too.
    const body = h("div", { class: "panel-body", role: "region", "aria-labelledby": "panel-title", tabindex: "0" }, content);
    fill(this.#dialog, h("header", { class: back ? "with-back" : "" }, last, heading, shut), body);
    if (!this.#dialog.open) this.#dialog.showModal();
    heading.focus();
  }

  /** Show a panel whose content has to be fetched; a failure is shown with a way to repeat. */
  async load(title, fetchContent, back = null) {
    const turn = ++this.#turn;
    this.#put(title, [h("p", { class: "hint", role: "status", text: say("loading") })], back);
    let content;
    try {
      content = await fetchContent();
    } catch (error) {
      const words = error.status === 404 ? say("citation.gone") : say("trouble.load");
      const again = () => this.load(title, fetchContent, back);
      content = [
        h("p", { role: "alert", text: words }),
        error.status === 404
          ? null
          : h("button", { class: "equal", type: "button", text: say("trouble.retry"), on: { click: again } }),
      ];
    }
    if (turn === this.#turn) this.#put(title, content, back);
  }
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
