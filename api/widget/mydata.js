/** «Мои данные»: what the customer allows, what is held, and how to take it along or have it deleted. */

import { fill, h } from "./dom.js";
import { edition, pick, say } from "./texts.js";

const HELD = ["conversations", "messages", "consents", "notes"];
/** What a switch can be set to; a purpose that rests on a contract or a law has none. */
const CHOSEN = { granted: true, given: true };

/**
 * `mine` is {consents, held}: every purpose with its state, and what `GET /v1/me` tells (null when it cannot be told).
 * `act`: choose(purpose, granted) resolves to the new consents; take(format); erase() asks first.
 */
export function dataContent({ consents, held }, act) {
  const problem = h("p", { role: "alert", class: "problem", hidden: true });
  const list = h("ul", { class: "consents" });
  const show = (rows, focus = "") => {
    fill(list, listOf(rows).map((consent) => consentRow(consent, change)));
    if (focus) [...list.children].find((row) => row.dataset.purpose === focus)?.querySelector("button")?.focus();
  };
  const change = async (purpose, granted, button) => {
    button.setAttribute("aria-busy", "true");
    problem.hidden = true;
    try {
      show(await act.choose(purpose, granted), purpose);
    } catch {
      button.removeAttribute("aria-busy");
      problem.textContent = say("trouble.load");
      problem.hidden = false;
    }
  };
  show(consents);
  return [h("p", { text: say("data.intro") }), problem, h("h3", { text: say("data.allowed") }), list, heldPart(held), ways(held, act)].flat();
}

function consentRow(consent, change) {
  const granted = CHOSEN[consent.state] === true;
  const name = `consent-${String(consent.purpose).replace(/\W/g, "-")}`;
  const title = words(consent.gives) || words(consent.text);
  const about = h("details", {}, h("summary", { text: say("data.text") }), h("p", { class: "hint", text: words(consent.text) }),
    h("p", { class: "hint", text: say("consent.version", { version: edition(words(consent.version)) }) }));
  if (consent.basis && consent.basis !== "consent") {
    return h("li", { "data-purpose": consent.purpose }, h("p", { id: name, text: title }), h("p", { class: "hint", text: say(`data.basis.${consent.basis}`) }), about);
  }
  const button = h(
    "button",
    { class: "choice", type: "button", role: "switch", "aria-checked": String(granted), "aria-labelledby": name },
    h("span", { class: "switch", "aria-hidden": "true" }),
  );
  button.addEventListener("click", () => button.getAttribute("aria-busy") || change(consent.purpose, !granted, button));
  const state = h("span", { class: `chip ${granted ? "person" : "off"}`, text: say(`data.${stateOf(consent)}`) });
  return h("li", { "data-purpose": consent.purpose }, h("div", { class: "choice-line" }, h("p", { id: name, text: title }), button), h("p", {}, state), about);
}

function stateOf(consent) {
  const state = String(consent.state ?? "");
  if (CHOSEN[state]) return "granted";
  return { refused: "refused", declined: "refused", withdrawn: "withdrawn" }[state] ?? "unasked";
}

function heldPart(held) {
  if (!held) return [];
  const counts = HELD.filter((name) => Array.isArray(held[name])).map((name) => h("li", { text: say(`data.held.${name}`, { n: held[name].length }) }));
  return [h("h3", { text: say("data.held") }), h("ul", { class: "facts" }, counts), h("p", { class: "hint", text: say("data.held.more") })];
}

function ways(held, act) {
  const can = Array.isArray(held?.can) ? held.can : [];
  const button = (key, press, kind = "equal") => h("button", { class: kind, type: "button", text: say(key), on: { click: press } });
  return [
    can.includes("export")
      ? h("div", { class: "pair" }, button("data.take.html", () => act.take("html")), button("data.take.json", () => act.take("json")))
      : null,
    can.includes("erase") ? button("data.erase", act.erase, "equal danger") : null,
  ];
}

/** Ask once, in words, before everything is deleted. */
export function eraseContent({ yes, no }) {
  return [
    h("p", { text: say("data.erase.text") }),
    h("div", { class: "pair" },
      h("button", { class: "equal danger", type: "button", text: say("data.erase.yes"), on: { click: yes } }),
      h("button", { class: "equal", type: "button", text: say("data.erase.no"), on: { click: no } })),
  ];
}

/** What became of a deletion; `told` is null until it is done. */
export function erasedContent(told) {
  if (!told) return [h("p", { text: say("data.erase.done") })];
  const counts = HELD.filter((name) => told.counts?.[name] > 0).map((name) => h("li", { text: say(`data.held.${name}`, { n: told.counts[name] }) }));
  return [
    h("p", { text: say("data.erased.done") }),
    counts.length ? h("ul", { class: "facts" }, counts) : null,
    listed(told.kept).length ? h("p", { text: say("data.erased.kept") }) : null,
    h("dl", { class: "numbers" }, h("div", {}, h("dt", { text: say("data.erased.proof") }), h("dd", { text: words(told.proof) }))),
  ];
}

/** Hand a file over that was fetched with the customer's token. */
export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  Object.assign(link, { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

const listed = (value) => (Array.isArray(value) ? value : []);
const listOf = (value) => (Array.isArray(value) ? value.filter((one) => one && typeof one === "object") : []);
const words = (value) => String(pick(value) ?? "");
