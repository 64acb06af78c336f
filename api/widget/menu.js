/** The menu behind the three dots: language, sound, my data, a new conversation. */

import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { available, current, nameOf, say } from "./texts.js";

export class Menu {
  #list = h("div", { class: "menu", id: "menu", hidden: true });
  #button;

  /** `act`: language(name), sound(on), data(), fresh(); `facts()` gives {sound, languages}. */
  constructor(act, facts) {
    Object.assign(this, { act, facts });
    this.#button = h(
      "button",
      {
        class: "tool", type: "button", "aria-expanded": "false", "aria-controls": "menu",
        on: { click: () => (this.isOpen ? this.close() : this.open()) },
      },
      icon("menu"),
    );
    this.#list.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !this.#list.contains(event.relatedTarget) && event.relatedTarget !== this.#button) this.close(false);
    });
    document.addEventListener("pointerdown", (event) => {
      if (this.isOpen && !this.#list.contains(event.target) && !this.#button.contains(event.target)) this.close(false);
    });
  }

  get nodes() {
    return { button: this.#button, list: this.#list };
  }

  get isOpen() {
    return !this.#list.hidden;
  }

  translate() {
    this.#button.setAttribute("aria-label", say("header.menu"));
    this.#button.setAttribute("title", say("header.menu"));
    if (this.isOpen) this.#build();
  }

  open() {
    this.#build();
    this.#list.hidden = false;
    this.#button.setAttribute("aria-expanded", "true");
    this.#list.querySelector("button").focus();
  }

  close(back = true) {
    this.#list.hidden = true;
    this.#button.setAttribute("aria-expanded", "false");
    if (back) this.#button.focus();
  }

  #build() {
    fill(this.#list, this.#languages(), this.#sound(), this.#item("shield", "menu.data", this.act.data), this.#item("fresh", "menu.new", this.act.fresh));
  }

  #languages() {
    const choose = (name) => () => {
      this.act.language(name);
      this.#list.querySelector('[aria-pressed="true"]').focus();
    };
    const buttons = available(this.facts().languages).map((name) =>
      h("button", { class: "segment", type: "button", lang: name, "aria-pressed": String(name === current()), text: nameOf(name), on: { click: choose(name) } }),
    );
    return h("div", { class: "menu-row" }, icon("language"), h("div", { class: "segments", role: "group", "aria-label": say("menu.language") }, buttons));
  }

  #sound() {
    const on = this.facts().sound;
    const flip = () => {
      this.act.sound(!on);
      this.#build();
      this.#list.querySelector('[role="switch"]').focus();
    };
    return h(
      "button",
      { class: "menu-item", type: "button", role: "switch", "aria-checked": String(on), on: { click: flip } },
      icon("sound"), h("span", { text: say("menu.sound") }), h("span", { class: "switch", "aria-hidden": "true" }),
    );
  }

  #item(name, key, press) {
    const go = () => {
      this.close();
      press();
    };
    return h("button", { class: "menu-item", type: "button", on: { click: go } }, icon(name), h("span", { text: say(key) }));
  }
}
