/** The log: one element an entry, rebuilt only when what it shows has changed. */

import { consentCard, isConsent } from "./cards.js";
import { h } from "./dom.js";
import { formatted, insertAfter, paragraphs } from "./html.js";
import { icon, mark } from "./icons.js";
import { results } from "./results.js";
import { sources } from "./state.js";
import { clock, day, say } from "./texts.js";

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** `act`: passage(source), receipt(turn), rate(turn, yes), press(button), retry(key), discard(key). */
export class Log {
  #nodes = new Map();

  constructor(element, act) {
    this.element = element;
    this.act = act;
  }

  /** Show `entries` in order; each is {key, signature, build}. */
  show(entries) {
    const wanted = entries.map((entry) => this.#node(entry));
    const kept = new Set(entries.map((entry) => entry.key));
    for (const [key, { node }] of this.#nodes) {
      if (kept.has(key)) continue;
      node.remove();
      this.#nodes.delete(key);
    }
    wanted.forEach((node, at) => {
      if (this.element.children[at] !== node) this.element.insertBefore(node, this.element.children[at] ?? null);
    });
  }

  #node({ key, signature, build }) {
    const known = this.#nodes.get(key);
    if (known?.signature === signature) return known.node;
    const node = build(this.act);
    if (known) known.node.replaceWith(node);
    this.#nodes.set(key, { signature, node });
    return node;
  }
}

/** Lay the transcript out: day lines, messages, sentences being written, messages on their way. */
export function entriesOf(state, { disclosure, note, pending, rated, language }) {
  const open = state.writing();
  const entries = [entry("disclosure", [disclosure, language], () => aiBubble({ text: disclosure, first: true }))];
  if (note) entries.push(entry("note", [note], () => h("p", { class: "note", text: note })));
  let before = { author: "ai", day: "" };
  const draft = (after) => {
    for (const one of open.filter((turn) => turn.after === after)) entries.push(writingEntry(one, before));
  };
  draft(0);
  for (const [at, message] of state.messages.entries()) {
    const today = day(message.at);
    if (today && today !== before.day && (before.day || today !== say("day.today"))) {
      entries.push(entry(`day-${message.seq}`, [today], () => h("p", { class: "day", text: today })));
    }
    const live = state.answerable === message && pending.length === 0;
    const last = state.messages[at + 1]?.turn !== message.turn;
    const shown = messageEntry(message, state, { before, rated, language, live, last });
    if (shown) entries.push(shown);
    before = { author: shown ? message.author : before.author, name: message.name, day: today || before.day };
    draft(message.seq);
  }
  for (const item of pending) entries.push(pendingEntry(item, language));
  return entries;
}

const entry = (key, parts, build) => ({ key, signature: JSON.stringify(parts), build });

function messageEntry(message, state, { before, rated, language, live, last }) {
  if (!message.text && !message.html) return null;
  // A turn may end with another message than the one its sentences became: a person is called after a part of an answer.
  const streamed = state.sentences.get(message.turn)?.filter(Boolean) ?? [];
  const said = streamed.filter((sentence) => !sentence.opening && message.text.includes(sentence.text));
  const own = message.author === "ai" && message.turn !== "";
  const answer = own && (message.citations.length > 0 || said.length > 0);
  const facts = {
    ...message, said, language, first: before.author !== message.author || before.name !== message.name,
    answer, receipt: answer || (own && last),
    rated: rated[message.turn], consent: live && message.buttons.some(isConsent) ? consentOf(message, state) : null,
  };
  return entry(`m${message.seq}`, facts, (act) => bubble(facts, act));
}

function consentOf(message, state) {
  const purpose = String(message.buttons.find(isConsent).action.target);
  return { purpose, text: message.text, ...state.consents.get(purpose) };
}

function bubble(facts, act) {
  if (facts.author === "customer") return customerBubble(facts);
  if (facts.author === "system") return h("p", { class: "note", text: facts.text });
  if (facts.author === "person") return personBubble(facts);
  if (facts.consent) return consentBubble(facts, act);
  return aiBubble(facts, act);
}

function customerBubble({ text, at, state = "", extra = [] }) {
  const body = h("div", { class: "text" }, paragraphs(text));
  const when = state ? null : h("time", { class: "when", datetime: at, text: clock(at) });
  return h(
    "article",
    { class: `entry customer ${state}`, "data-author": "customer" },
    h("span", { class: "unseen", text: `${say("author.you")}:` }),
    h("div", { class: "bubble" }, body),
    h("div", { class: "foot" }, when, extra),
  );
}

/** Who speaks, over every message: an AI or a person; by name and with the time where somebody else spoke before. */
function who(kind, { name, first, at = "" }) {
  const long = kind === "ai" ? say("author.ai.long") : null;
  return h(
    "div",
    { class: "who" },
    h("span", { class: first ? "who-name" : "unseen", text: name }),
    h("span", { class: `chip ${kind}`, text: say(`author.${kind}`), title: long }),
    first && at ? h("time", { class: "when", datetime: at, text: clock(at) }) : null,
  );
}

const assistant = ({ first, at }) => who("ai", { name: say("author.assistant"), first, at });

function personBubble(facts) {
  const body = h("div", { class: "text" }, formatted(facts.html, facts.text));
  return h(
    "article",
    { class: `entry person ${facts.first ? "first" : ""}`, "data-author": "person" },
    who("person", { ...facts, name: facts.name || say("author.colleague") }),
    h("div", { class: "bubble" }, body),
  );
}

function aiBubble(facts, act = null) {
  const body = h("div", { class: "text" }, formatted(facts.html, facts.text));
  const found = sources(facts.citations ?? []);
  if (act && facts.said?.length) insertAfter(body, marks(facts.said, found, act));
  return h(
    "article",
    { class: `entry ai ${facts.first ? "first" : ""}`, "data-author": "ai" },
    assistant(facts),
    h("div", { class: "bubble" }, body, found.length ? sourceList(found, act) : null),
    results(facts.cards ?? []),
    facts.receipt ? footer(facts, act) : null,
  );
}

function consentBubble(facts, act) {
  return h(
    "article",
    { class: `entry ai ${facts.first ? "first" : ""}`, "data-author": "ai" },
    assistant(facts),
    consentCard(facts.consent, facts.buttons.filter(isConsent), act),
  );
}

/** The raised numbers after the sentences; of several in a row from one source only the last has them. */
function marks(said, found, act) {
  const numbers = said.map((sentence) => sources(sentence.citations).map((one) => found.findIndex((source) => source.passage === one.passage)));
  return said.map((sentence, at) => {
    const node = document.createDocumentFragment();
    const repeated = String(numbers[at]) === String(numbers[at + 1] ?? "");
    if (!repeated) node.append(...numbers[at].filter((n) => n >= 0).map((n) => raised(found[n], act)));
    return { text: sentence.text, node };
  });
}

function raised(source, act) {
  const number = String(source.n).replace(/\d/g, (digit) => SUPERSCRIPTS[Number(digit)]);
  return h("button", {
    class: "raised", type: "button", text: number, "aria-label": say("citation.open", { n: source.n, title: source.title }),
    on: { click: () => act.passage(source) },
  });
}

function sourceList(found, act) {
  const lines = found.map((source) =>
    h(
      "li",
      {},
      h(
        "button",
        {
          class: "source", type: "button", on: { click: () => act.passage(source) },
          "aria-label": say("citation.open", { n: source.n, title: source.title }),
        },
        h("span", { class: "source-n", text: source.n }),
        h("span", { class: "source-title", text: source.title }),
      ),
    ),
  );
  return h("ul", { class: "sources" }, lines);
}

function footer(facts, act) {
  const thumb = (yes, name) =>
    h(
      "button",
      {
        class: "tool", type: "button", "aria-label": say(`rate.${name}`), title: say(`rate.${name}`),
        "aria-pressed": facts.rated === undefined ? "false" : String(facts.rated === yes),
        on: { click: () => act.rate(facts.turn, yes) },
      },
      icon(name, 18),
    );
  const why = h(
    "button",
    {
      class: "used", type: "button",
      on: { click: () => act.receipt(facts.turn, facts.citations) },
    },
    icon("info", 16), h("span", { text: say("receipt.open") }),
  );
  if (!facts.answer) return h("div", { class: "foot" }, why);
  const thanks = facts.rated === undefined ? null : h("span", { class: "thanks", text: say("rate.thanks") });
  return h("div", { class: "foot" }, why, h("span", { class: "thumbs" }, thumb(true, "up"), thumb(false, "down"), thanks));
}

function writingEntry({ turn, said }, before) {
  const first = before.author !== "ai";
  return entry(`w${turn}`, [said, first], (act) => {
    const found = sources(said.flatMap((sentence) => sentence.citations));
    // What the AI says of itself becomes a message of its own: here it is a paragraph of its own.
    const opening = said.filter((sentence) => sentence.opening).map((sentence) => h("p", { text: sentence.text }));
    const rest = said.filter((sentence) => !sentence.opening);
    const text = [...opening, h("p", {}, marks(rest, found, act).map(({ text, node }, at) =>
      [h("span", { class: at === rest.length - 1 ? "sentence new" : "sentence", text }), node, " "]))];
    return h(
      "article",
      { class: `entry ai writing ${first ? "first" : ""}`, "data-author": "ai", "aria-live": "off", "aria-busy": "true" },
      assistant({ first }),
      h("div", { class: "bubble" }, h("div", { class: "text" }, text), found.length ? sourceList(found, act) : null),
    );
  });
}

function pendingEntry(item, language) {
  const facts = [item.text, item.label, item.state, item.problem, item.late, language];
  return entry(`p${item.key}`, facts, (act) =>
    customerBubble({ text: item.text || item.label, at: item.at, state: item.state, extra: progress(item, act) }),
  );
}

function progress(item, act) {
  if (item.state !== "failed") {
    const word = item.state === "sending" && !item.late ? "send.sending" : "send.waiting";
    return [icon("clock", 14), h("span", { text: say(word) })];
  }
  const button = (text, press) => h("button", { class: "plain", type: "button", text, on: { click: press } });
  return [
    h("span", { class: "problem", role: "alert" }, icon("warning", 14), h("span", { text: say(item.problem === 413 ? "send.long" : "send.failed") })),
    button(say("send.retry"), () => act.retry(item.key)),
    button(say("send.discard"), () => act.discard(item.key)),
  ];
}

/** What an empty chat shows while it opens. */
export function opening() {
  return h("div", { class: "opening" }, mark(40), h("p", { text: say("status.opening") }));
}
