/** The frame begins here: words, looks, the page around it, then the conversation. */

import { Api, Problem, Unreachable } from "./api.js";
import { Bridge } from "./bridge.js";
import { Chat } from "./chat.js";
import { fill, h } from "./dom.js";
import { dataContent, eraseContent, erasedContent, save } from "./mydata.js";
import { freshContent } from "./panels.js";
import { passageContent } from "./passage.js";
import { receiptContent } from "./receipt.js";
import { tone } from "./sound.js";
import { sources } from "./state.js";
import { Store, subjectOf } from "./store.js";
import { available, current, load, pick, say, use } from "./texts.js";
import { View } from "./view.js";

const LANGUAGES = ["ru", "en"];
const ERASURE_PAUSE_MS = 2000;
const ERASURE_LOOKS = 60;
const page = document.documentElement;
const api = new Api(new URL("..", location.href).href);
const store = new Store();
let config = {};
let shownToCustomer = true;
let unread = 0;

const bridge = new Bridge({
  origins: (page.dataset.origins ?? "").split(" ").filter(Boolean),
  onMessage: (message) => hear[message.type]?.(message),
});

const chat = new Chat({
  api, store,
  onChange: () => view.show(model()),
  onHeard: heard,
  onReady: ready,
  onCleared: cleared,
  onIdentityNeeded: () => bridge.tell("identity-needed"),
});

const view = new View(document.getElementById("app"), {
  send: (text) => {
    store.set("draft", "");
    chat.send(text);
  },
  press: (button) => chat.press(button),
  rate: (turn, yes) => chat.rate(turn, yes),
  retry: (key) => chat.outbox.retry(key),
  discard: (key) => chat.outbox.discard(key),
  typing: (text) => chat.typing(text),
  passage: openPassage,
  receipt: openReceipt,
  data: openData,
  fresh: askFresh,
  language: chooseLanguage,
  sound: (on) => {
    store.set("sound", on);
    if (on) tone();
  },
  close: () => {
    shownToCustomer = !bridge.embedded;
    bridge.tell("close");
  },
}, () => ({ sound: store.get("sound"), languages: config.languages }));

function model() {
  return {
    phase: chat.phase, state: chat.state, trouble: chat.trouble, pending: chat.pending, rated: chat.rated,
    calling: chat.calling, reachable: chat.reachable, lost: chat.lost, language: current(),
    disclosure: pick(config.disclosure) ?? chat.session?.disclosure ?? "", greeting: greeting(),
    note: chat.restarted ? say("restarted") : "",
  };
}

function greeting() {
  const offered = pick(config.quick_replies) ?? chat.session?.quick ?? [];
  return offered.map((one) => (typeof one === "string" ? { label: one, action: { kind: "say", target: one } } : one));
}

const hear = {
  hello: (message) => dress(message),
  theme: (message) => dress(message),
  language: (message) => dress(message),
  identity: ({ identity = "" }) => chat.become(identity, current(), subjectOf(identity)),
  opened: () => {
    shownToCustomer = true;
    setUnread(0);
    enter();
  },
  closed: () => (shownToCustomer = false),
};

/** Put the focus where a customer goes on: into the message, or, where that raises a keyboard, on the heading. */
function enter() {
  view.open({ touch: matchMedia("(pointer: coarse)").matches });
}

/** Take over theme and language from the page; a language chosen in the menu outlasts the page's word. */
function dress({ theme, language }) {
  if (theme) page.dataset.theme = theme;
  if (!language) return;
  const chosen = store.get("language");
  page.dataset.language = language;
  speak(chosen && chosen.page === language ? chosen.own : language);
}

function chooseLanguage(name) {
  store.set("language", { page: page.dataset.language ?? "", own: name });
  speak(name);
}

function speak(name) {
  const spoken = available(config.languages);
  use(spoken.includes(name) ? name : spoken[0]);
  chat.language = current();
  bridge.tell("language", { language: current(), title: say("frame.title") });
  view.translate(config);
  view.show(model());
}

function heard() {
  const looking = shownToCustomer && !document.hidden;
  if (looking) return;
  if (!shownToCustomer) setUnread(unread + 1);
  if (store.get("sound")) tone();
}

/** What belonged to the conversation before this one is not left on the screen. */
function cleared() {
  view.draft = "";
  if (view.panels.isOpen) view.panels.close();
  setUnread(0);
}

function setUnread(count) {
  unread = count;
  bridge.tell("unread", { count, text: say("launcher.unread", { n: count }) });
}

function openPassage(source, back = null) {
  const fetchContent = async () => passageContent(await api.passage(chat.session, source.passage), source.quotes);
  view.panels.load(say("citation.panel"), fetchContent, back);
}

function openReceipt(turn, citations) {
  const cited = new Map(sources(citations).map((source) => [source.passage, source]));
  const openSource = (passage) => openPassage(cited.get(passage) ?? { passage, quotes: [] }, () => openReceipt(turn, citations));
  view.panels.load(say("receipt.panel"), async () => receiptContent(await api.receipt(chat.session, turn, current()), openSource));
}

function openData() {
  view.panels.load(say("data.panel"), async () => {
    const [{ consents }, held] = await Promise.all([api.consents(chat.session), heldOf()]);
    return dataContent({ consents, held }, { choose, take, erase: askErase });
  });
}

/** What is held, or null where it cannot be told now: the switches work all the same. */
async function heldOf() {
  try {
    return await api.me(chat.session);
  } catch (error) {
    if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
    return null;
  }
}

async function choose(purpose, granted) {
  await api.setConsent(chat.session, purpose, granted);
  return (await api.consents(chat.session)).consents;
}

async function take(format) {
  try {
    save(await api.meAs(chat.session, format), `${say("data.file")}.${format}`);
  } catch (error) {
    if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
    view.panels.show(say("data.panel"), troubled(error));
  }
}

function askErase() {
  const no = () => openData();
  const yes = async () => {
    let asked;
    try {
      asked = await api.erase(chat.session);
    } catch (error) {
      if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
      view.panels.show(say("data.erase"), troubled(error));
      return;
    }
    // The token opens nothing any more: what is said about it stands over a new conversation.
    chat.fresh(current());
    await followErasure(String(asked.id ?? ""));
  };
  view.panels.show(say("data.erase.ask"), ...eraseContent({ yes, no }));
}

/** Say that the request is taken, and, to whoever waits, when it is done and what proves it. */
async function followErasure(id) {
  const told = fill(h("div", { class: "told", role: "status" }), ...erasedContent(null));
  view.panels.show(say("data.erased"), told);
  for (let looks = 0; looks < ERASURE_LOOKS; looks += 1) {
    await pause(ERASURE_PAUSE_MS);
    if (!view.panels.isOpen || !told.isConnected) return;
    try {
      const found = await api.erasure(id);
      if (found.state === "done") return void fill(told, ...erasedContent(found));
    } catch (error) {
      if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
    }
  }
}

const troubled = (error) => h("p", { role: "alert", text: error.remedy || say("trouble.load") });

function askFresh() {
  const no = () => view.panels.close();
  const yes = () => {
    view.panels.close();
    chat.fresh(current());
  };
  view.panels.show(say("new.ask"), ...freshContent({ yes, no }));
}

/** The company's accent, as far as it can be read on this background; the server has checked it on light. */
function tint(accent) {
  if (/^#[0-9a-f]{6}$/i.test(accent ?? "")) page.style.setProperty("--company-sea", accent);
}

async function furnish() {
  try {
    config = await api.config();
  } catch (error) {
    if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
  }
  tint(config.accent);
}

async function ready() {
  if (!config.company) {
    await furnish();
    view.translate(config);
    view.show(model());
  }
  // History is not read aloud: what is there first settles, then new messages are announced.
  setTimeout(() => view.announce(), 600);
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function words() {
  for (;;) {
    try {
      return await load(LANGUAGES);
    } catch {
      // Without words nothing can be said, not even about the trouble: try until they come.
      await pause(2000);
    }
  }
}

async function begin() {
  await words();
  use(LANGUAGES.find((name) => navigator.language.startsWith(name)) ?? LANGUAGES[0]);
  const [hello] = await Promise.all([bridge.greet(), furnish()]);
  shownToCustomer = hello.open ?? true;
  const identity = hello.identity ?? "";
  chat.arrive(identity, subjectOf(identity));
  dress({ theme: hello.theme, language: hello.language ?? current() });
  view.draft = store.get("draft");
  await chat.begin(current());
  // A page that opens the chat by itself keeps the focus where its reader is.
  if (shownToCustomer && (hello.focus ?? true)) enter();
}

begin();
