/** One conversation in this window: opened or taken up again, followed, written to. */

import { Problem, Unreachable } from "./api.js";
import { Outbox } from "./outbox.js";
import { State } from "./state.js";
import { Stream } from "./stream.js";
import { say } from "./texts.js";

const TYPING_EVERY_MS = 2000;
const LOST_AFTER_MS = 2500;
const AGAIN_MS = 4000;
const GONE = [401, 403, 404, 410];

/**
 * `onChange()` after anything changed, `onReady()` when it can be written to, `onHeard()` for a message of the other
 * side, `onCleared()` when another conversation begins, `onIdentityNeeded()` when the customer's token has expired.
 */
export class Chat {
  phase = "starting";
  state = new State();
  #online = navigator.onLine;
  #lost = false;
  #lostTimer = null;
  #againTimer = null;
  #stream = null;
  #typed = 0;
  #round = 0;
  #fault = null;
  #replayed = 0;

  constructor({ api, store, onChange, onHeard, onReady, onCleared, onIdentityNeeded }) {
    Object.assign(this, { api, store, onChange, onHeard, onReady, onCleared, onIdentityNeeded });
    this.identity = "";
    this.restarted = false;
    this.#newOutbox();
    window.addEventListener("online", () => this.#network(true));
    window.addEventListener("offline", () => this.#network(false));
    document.addEventListener("visibilitychange", () => document.hidden || this.#stream?.nudge());
  }

  #newOutbox() {
    this.outbox = new Outbox({
      store: this.store,
      send: (message) => this.api.send(this.session, message),
      onChange: () => this.onChange(),
      onAccepted: (item, seq) => this.#accepted(item, seq),
      onSessionLost: () => this.#restart(),
    });
  }

  get session() {
    return this.store.get("session");
  }

  get reachable() {
    return this.#online && this.outbox.reachable;
  }

  get lost() {
    return this.#lost;
  }

  /** Messages on their way that the log has to show. */
  get pending() {
    return this.outbox.items
      .filter((item) => !item.echoed && item.action?.kind !== "rate")
      .map((item) => ({ ...item, late: !this.reachable }));
  }

  get rated() {
    return this.store.get("rated");
  }

  get calling() {
    return this.outbox.items.some((item) => item.action?.kind === "person");
  }

  /** Open a conversation, or take up the one this device remembers. */
  async begin(language) {
    const round = ++this.#round;
    this.language = language;
    this.phase = "starting";
    clearTimeout(this.#againTimer);
    this.onChange();
    try {
      const history = this.session ? await this.api.history(this.session) : await this.#open();
      if (round !== this.#round) return;
      this.#ready(history);
    } catch (error) {
      if (round !== this.#round) return;
      this.#beginFailed(error);
    }
  }

  async #open() {
    const round = this.#round;
    const opened = await this.api.open({ language: this.language, identity: this.identity });
    if (round !== this.#round) return {};
    const { id, token, disclosure, quick_replies: quick = [], holder = "ai" } = opened;
    this.store.set("session", { id, token, disclosure, quick, holder, language: opened.language ?? this.language });
    return { messages: [], holder };
  }

  #ready({ messages = [], holder = null, event = 0 }) {
    this.state = new State();
    this.state.restore(messages.filter((message) => !this.#isDisclosure(message)));
    if (holder) this.state.apply("handoff", { holder });
    this.#replayed = Number(event) || 0;
    this.phase = "ready";
    this.#fault = null;
    this.#follow();
    this.onChange();
    this.onReady();
    this.outbox.flush();
  }

  #beginFailed(error) {
    if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
    if (error instanceof Problem && this.session && GONE.includes(error.status)) {
      this.#restart();
      return;
    }
    this.phase = "failed";
    this.#fault = error;
    if (error.status === 401) this.onIdentityNeeded();
    else this.#againTimer = setTimeout(() => this.begin(this.language), Math.max(AGAIN_MS, (error.retryAfter ?? 0) * 1000));
    this.onChange();
  }

  /** Why there is no conversation, in words, with the ways out; null when there is one. */
  get trouble() {
    if (this.#fault === null) return null;
    const retry = { text: say("trouble.retry"), press: () => this.begin(this.language) };
    if (this.#fault.status === 401) {
      const anonymous = { text: say("trouble.anonymous"), press: () => this.become("", this.language, "") };
      return { title: say("trouble.title"), text: say("trouble.identity"), ways: [retry, anonymous] };
    }
    const told = this.#fault instanceof Problem && !this.#fault.passing && this.#fault.message;
    return { title: say("trouble.title"), text: told || say("trouble.text"), ways: [retry] };
  }

  /** The server no longer knows this conversation: begin another, keep what was not sent. */
  #restart() {
    this.#stop();
    const unsent = this.store.get("queue");
    this.store.leaveConversation();
    this.store.set("queue", unsent);
    this.restarted = true;
    this.begin(this.language);
  }

  /** Say who is at the device before anything begins. */
  arrive(identity, subject) {
    this.identity = identity;
    this.store.belongTo(subject);
    this.#newOutbox();
  }

  /** Another person, or none, is at the device from now on; what belonged to the earlier one is gone. */
  become(identity, language, subject) {
    this.identity = identity;
    if (this.store.belongTo(subject)) this.fresh(language);
    else if (this.phase === "failed") this.begin(language);
  }

  /** Leave this conversation and open a new one. */
  fresh(language) {
    this.#stop();
    this.outbox.clear();
    this.store.leaveConversation();
    this.state = new State();
    this.restarted = false;
    this.#newOutbox();
    this.onCleared();
    this.begin(language);
  }

  #stop() {
    this.#stream?.stop();
    this.#stream = null;
    this.#setLost(false);
  }

  #follow() {
    this.#stop();
    const stream = new Stream({
      address: this.api.eventsAddress(this.session),
      token: this.session.token,
      onEvent: (type, data, id) => stream === this.#stream && this.#event(type, data, Number(id) || 0),
      onState: (state) => stream === this.#stream && this.#setLost(state === "lost"),
      onRefused: () => stream === this.#stream && this.#restart(),
    });
    this.#stream = stream;
    stream.start();
  }

  /**
   * Take up an event. Those that history has already told are taken up silently, up to the number it named: they
   * bring back what the transcript alone does not say, and must not play the conversation again.
   */
  #event(type, data, number) {
    const repeated = number > 0 && number < this.#replayed;
    if (type === "message" && this.#isDisclosure(data)) return;
    if (type === "message" && data?.author === "customer") this.#echo(data);
    const newest = this.state.messages.at(-1)?.seq ?? 0;
    const changed = this.state.apply(type, data);
    if (repeated || (!changed.length && number !== this.#replayed)) return;
    this.onChange();
    if (changed.includes("heard") && number > this.#replayed && Number(data.seq) > newest) this.onHeard();
  }

  /** The first words are shown in the language of the window, so the transcript's own copy of them is not. */
  #isDisclosure(message) {
    return message?.author === "ai" && !message.turn && message.text === this.session?.disclosure;
  }

  /** An event may tell of a message before the answer to its POST does: the same words are shown once. */
  #echo(data) {
    if (this.state.messages.some((message) => message.seq === Number(data.seq))) return;
    const same = (item) => item.text === data.text || (item.action && ["", item.label, item.action.target].includes(data.text ?? ""));
    const item = this.outbox.items.find((one) => one.tried && !one.echoed && same(one));
    if (!item) return;
    item.echoed = true;
    data.text ||= item.label;
  }

  #accepted(item, seq) {
    if (item.action?.kind !== "rate" && Number.isInteger(seq)) {
      this.state.accepted({ seq, text: item.text || item.label, at: item.at });
    }
    this.onChange();
  }

  #network(online) {
    this.#online = online;
    if (online) {
      this.outbox.nudge();
      this.#stream?.nudge();
      if (this.phase === "failed") this.begin(this.language);
    } else {
      this.#stream?.drop();
    }
    this.onChange();
  }

  /** A short break is not worth a word. */
  #setLost(lost) {
    clearTimeout(this.#lostTimer);
    if (!lost) {
      const was = this.#lost;
      this.#lost = false;
      if (was) {
        this.outbox.nudge();
        this.onChange();
      }
      return;
    }
    this.#lostTimer = setTimeout(() => {
      this.#lost = true;
      this.onChange();
    }, LOST_AFTER_MS);
  }

  send(text) {
    this.outbox.add({ text });
  }

  press({ label, action }) {
    this.outbox.add({ action: { kind: action.kind, target: action.target ?? "", yes: action.yes ?? true }, label });
  }

  rate(turn, yes) {
    if (this.rated[turn] === yes) return;
    this.store.set("rated", { ...this.rated, [turn]: yes });
    this.outbox.add({ action: { kind: "rate", target: turn, yes } });
  }

  /** Tell the server that the customer is still writing; losing such a word does no harm. */
  typing(text) {
    this.store.set("draft", text);
    if (!text.trim() || this.phase !== "ready" || Date.now() - this.#typed < TYPING_EVERY_MS) return;
    this.#typed = Date.now();
    this.api.typing(this.session).catch((error) => {
      if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
    });
  }
}
