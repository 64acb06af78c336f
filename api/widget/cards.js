/** Cards that ask the customer for something: a consent, a choice, an opinion. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { edition, say } from "./texts.js";

export const isConsent = (button) => button?.action?.kind === "consent";

/** The card of one purpose, while it can be answered. */
export function consentCard(consent, buttons, act) {
  const details = h(
    "div",
    { class: "details", hidden: true },
    consent.version ? h("p", { text: say("consent.version", { version: edition(consent.version) }) }) : null,
    h("p", { text: say("consent.withdraw") }),
  );
  const more = h("button", { class: "plain", type: "button", "aria-expanded": "false", text: say("consent.more") });
  more.addEventListener("click", () => {
    details.hidden = !details.hidden;
    more.setAttribute("aria-expanded", String(!details.hidden));
    more.textContent = say(details.hidden ? "consent.more" : "consent.less");
    if (!details.hidden) details.scrollIntoView({ block: "nearest" });
  });
  return h(
    "section",
    { class: "card consent", "aria-label": say("consent.label"), "data-purpose": consent.purpose },
    h("h2", {}, icon("shield", 18), say("consent.label")),
    h("p", { text: consent.text }),
    consent.gives ? h("p", { class: "gives" }, icon("check", 16), h("span", { text: consent.gives })) : null,
    h("div", { class: "pair" }, buttons.map((button) => choice(button, act))),
    more,
    details,
  );
}

/** One of two equal buttons: neither answer is dressed up as the right one. */
function choice(button, act) {
  const text = button.label || say(button.action.yes ? "consent.allow" : "consent.refuse");
  return h("button", { class: "equal", type: "button", text, on: { click: () => act.press({ ...button, label: text }) } });
}

/** Buttons under the last message: a confirmation as a pair, everything else as quick replies. */
export function replies(buttons, act) {
  const confirm = buttons.filter((button) => button?.action?.kind === "confirm");
  const other = buttons.filter((button) => button?.action && !isConsent(button) && button.action.kind !== "confirm");
  const press = (button) => ({ click: () => act.press(button) });
  return [
    confirm.length
      ? h("div", { class: "pair" }, confirm.map((one) => h("button", { class: "equal", type: "button", text: one.label, on: press(one) })))
      : null,
    other.length
      ? h("div", { class: "chips" }, other.map((one) => h("button", { class: "quick", type: "button", text: one.label, on: press(one) })))
      : null,
  ];
}

/** The conversation is over: said plainly, with a question about it when the server asks one. */
export function closedCard({ csat, rated }, act) {
  const answered = csat !== null && rated[csat] !== undefined;
  const ask = (yes, key, name) =>
    h("button", { class: "equal", type: "button", on: { click: () => act.rate(csat, yes) } }, icon(name, 18), say(key));
  return h(
    "section",
    { class: "card closed" },
    h("h2", { text: say("closed.title") }),
    h("p", { text: say("closed.text") }),
    csat !== null && !answered
      ? [h("p", { class: "ask", text: say("csat.ask") }), h("div", { class: "pair" }, ask(true, "csat.yes", "up"), ask(false, "csat.no", "down"))]
      : null,
    answered ? h("p", { class: "thanks", text: say("rate.thanks") }) : null,
    h("button", { class: "plain", type: "button", text: say("menu.new"), on: { click: act.fresh } }),
  );
}

/** Something does not work, and here is the way out. */
export function troubleCard({ title, text, ways }) {
  return h(
    "section",
    { class: "card trouble", role: "alert" },
    icon("warning", 28),
    h("h2", { text: title }),
    h("p", { text }),
    h("div", { class: "ways" }, ways.map((way) => h("button", { class: "equal", type: "button", text: way.text, on: { click: way.press } }))),
  );
}
