/** The frame's furniture: header, scroller, notices, composer. It shows what it is told and reports what is pressed. */

import { closedCard, replies, troubleCard } from "./cards.js";
import { fill, h } from "./dom.js";
import { icon, mark } from "./icons.js";
import { Menu } from "./menu.js";
import { entriesOf, Log, opening } from "./messages.js";
import { Panels } from "./panels.js";
import { pick, say } from "./texts.js";

const NEAR_END_PX = 80;
const TALLEST_PX = 132;

export class View {
  #stick = true;

  /** `act` is everything a customer can do; `facts()` gives what the menu shows. */
  constructor(root, act, facts) {
    this.act = act;
    this.menu = new Menu(act, facts);
    this.#furnish(root);
    this.log = new Log(this.logBox, act);
    this.panels = new Panels(root);
    this.#listen();
  }

  #furnish(root) {
    this.title = h("strong", { class: "company" });
    this.role = h("span", { class: "role" });
    this.face = h("span", { class: "face", "aria-hidden": "true" }, mark(26));
    this.shut = h("button", { class: "tool", type: "button", on: { click: this.act.close } }, icon("close"));
    this.logBox = h("div", { class: "log", role: "log", "aria-live": "off", "aria-relevant": "additions", tabindex: "0" });
    this.status = h("p", { class: "status", role: "status" });
    this.after = h("div", { class: "after" });
    this.scroller = h("main", { class: "scroller" }, this.logBox, this.status, this.after);
    this.toEnd = h("button", { class: "to-end", type: "button", hidden: true, on: { click: () => this.scrollToEnd() } }, icon("down_arrow"));
    this.notice = h("div", { class: "notice", role: "status" });
    this.text = h("textarea", { rows: "1", id: "text", maxlength: "20000", autocomplete: "off", enterkeyhint: "send" });
    this.sendButton = h("button", { class: "send", type: "submit" }, icon("send", 22));
    this.label = h("label", { class: "unseen", for: "text" });
    this.form = h("form", { class: "composer" }, this.label, this.text, this.sendButton);
    this.line = h("div", { class: "line" });
    this.heading = h("h1", { tabindex: "-1" }, this.title, this.role);
    const head = h("header", { class: "head" }, this.face, this.heading, this.menu.nodes.button, this.shut, this.menu.nodes.list);
    fill(root, head, this.scroller, h("footer", { class: "foot-area" }, this.toEnd, this.notice, this.form, this.line));
  }

  #listen() {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    this.text.addEventListener("input", () => {
      this.#grow();
      this.act.typing(this.text.value);
    });
    this.scroller.addEventListener("scroll", () => this.#noteScroll(), { passive: true });
    new ResizeObserver(() => this.#stick && this.scrollToEnd()).observe(this.scroller);
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.panels.isOpen) return;
      if (this.menu.isOpen) this.menu.close();
      else this.act.close();
    });
  }

  #submit() {
    const text = this.text.value.trim();
    if (!text) return;
    this.draft = "";
    this.#stick = true;
    this.act.send(text);
    this.text.focus();
  }

  set draft(text) {
    this.text.value = text;
    this.#grow();
  }

  #grow() {
    this.sendButton.disabled = !this.text.value.trim();
    this.text.classList.remove("tall");
    this.text.style.setProperty("height", "auto");
    const height = Math.min(this.text.scrollHeight, TALLEST_PX);
    this.text.style.setProperty("height", `${height}px`);
    this.text.classList.toggle("tall", this.text.scrollHeight > TALLEST_PX);
  }

  #noteScroll() {
    const left = this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight;
    this.#stick = left < NEAR_END_PX;
    this.toEnd.hidden = this.#stick;
  }

  scrollToEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#noteScroll();
  }

  /** Put the words that never change in the current language. */
  translate(config) {
    document.title = say("frame.title");
    this.menu.translate();
    this.label.textContent = say("composer.label");
    this.text.placeholder = say("composer.placeholder");
    for (const [node, key] of [[this.sendButton, "composer.send"], [this.shut, "header.close"], [this.toEnd, "log.earlier"]]) {
      node.setAttribute("aria-label", say(key));
      node.setAttribute("title", say(key));
    }
    this.logBox.setAttribute("aria-label", say("log.label"));
    this.title.textContent = pick(config.company) ?? "";
    const letter = pick(config.avatar);
    if (letter) fill(this.face, h("span", { text: letter }));
    this.#grow();
  }

  /** From now on new messages are read aloud; what stood there before is not. */
  announce() {
    this.logBox.setAttribute("aria-live", "polite");
  }

  open({ touch }) {
    if (touch) this.heading.focus({ preventScroll: true });
    else this.text.focus({ preventScroll: true });
    this.scrollToEnd();
  }

  /** Show the whole state; cheap to call, as entries that did not change keep their elements. */
  show(model) {
    const ready = model.phase === "ready";
    document.body.dataset.phase = model.phase;
    document.body.dataset.holder = model.state.holder;
    if (ready) this.log.show(entriesOf(model.state, model));
    else this.log.show([]);
    this.status.textContent = ready ? said(model.state) : "";
    this.status.classList.toggle("person", ready && model.state.answering);
    this.status.classList.toggle("on", this.status.textContent !== "");
    this.#once(this.after, this.#afterFacts(model), () => this.#after(model));
    this.#head(model);
    this.#foot(model);
    if (this.#stick) this.scrollToEnd();
  }

  /** Rebuild a part only when its facts changed, so that the focus inside it is not lost. */
  #once(node, facts, build) {
    const shown = JSON.stringify(facts);
    if (node.dataset.shown === shown) return;
    node.dataset.shown = shown;
    fill(node, build());
  }

  #afterFacts({ phase, language, trouble, state, rated, greeting, pending }) {
    if (phase !== "ready") return [phase, language, trouble?.title, trouble?.text];
    return [language, state.holder, state.csat, rated, pending.length, state.messages.length, greeting];
  }

  #after(model) {
    if (model.phase === "starting") return [opening()];
    if (model.phase === "failed") return [troubleCard(model.trouble)];
    const { state } = model;
    if (state.holder === "closed") return [closedCard({ csat: state.csat, rated: model.rated }, this.act)];
    if (model.pending.length) return [];
    const untouched = !state.messages.some((message) => message.author !== "system");
    const buttons = untouched ? model.greeting : (state.answerable?.buttons ?? []);
    if (state.holder !== "ai" && untouched) return [];
    // What the line below the composer already offers is not offered twice.
    const waiting = (button) => ["ai", "person"].includes(button?.action?.kind);
    return replies(state.holder === "ai" ? buttons : buttons.filter((button) => !waiting(button)), this.act);
  }

  #head({ state }) {
    const person = state.holder === "person";
    const name = person ? String(state.handoff?.operator || say("author.colleague")) : say("header.assistant");
    const chip = h("span", { class: `chip ${person ? "person" : "ai"}`, text: say(person ? "header.person" : "author.ai") });
    this.#once(this.role, [name, chip.textContent], () => [h("span", { text: name }), chip]);
  }

  #foot(model) {
    const unsent = model.pending.some((item) => item.state !== "failed");
    const offline = !model.reachable;
    this.notice.textContent = offline ? say(unsent ? "offline" : "offline.idle") : model.lost ? say("status.connecting") : "";
    this.notice.classList.toggle("on", this.notice.textContent !== "");
    this.form.hidden = model.phase !== "ready";
    const facts = [model.phase, model.state.holder, model.calling, model.language];
    this.#once(this.line, facts, () => (model.phase === "ready" ? this.#line(model) : []));
  }

  #line({ state, calling }) {
    if (state.holder === "person") {
      return [h("p", { class: "here" }, icon("person", 18), h("span", { text: say("person.here") }))];
    }
    if (state.holder === "queued") {
      return [
        h("p", { class: "queue" }, h("span", { class: "lamp" }), h("span", {}, h("strong", { text: say("person.waiting") }), " ", say("person.waiting.more"))),
        h("button", { class: "plain", type: "button", text: say("person.resume"), on: { click: () => this.act.press({ label: say("person.resume"), action: { kind: "ai" } }) } }),
      ];
    }
    return [
      h("button", { class: "plain call", type: "button", disabled: calling, on: { click: () => this.act.press({ label: say("person.call"), action: { kind: "person" } }) } },
        icon("person", 18), h("span", { text: say("person.call") })),
    ];
  }
}

/** What goes on right now, in words: a person writes, or the assistant is at something. */
function said(state) {
  return state.answering ? say("person.typing", { name: String(state.handoff?.operator || say("author.colleague")) }) : state.status;
}
