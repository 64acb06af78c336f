/**
 * Messages on their way, in order, one at a time. Each has a key, so sending it again is harmless; the queue is
 * kept in storage until the server has accepted it.
 *
 *   waiting ──► sending ──► accepted (leaves the queue)
 *      ▲           ├── no network, 5xx, 429: waits and tries again
 *      │           └── refused for good ──► failed ──► the customer retries or deletes it
 *      └───────────────────────────────────────┘
 */

import { Problem, Unreachable } from "./api.js";
import { freshKey } from "./store.js";

const FIRST_WAIT_MS = 800;
const LONGEST_WAIT_MS = 20_000;
const SESSION_LOST = [401, 403, 404, 410];

export class Outbox {
  #timer = null;
  #tries = 0;
  #busy = false;

  /** `send(message)` posts one; `onChange`, `onAccepted(item, seq)`, `onSessionLost` tell what happened. */
  constructor({ store, send, onChange, onAccepted, onSessionLost }) {
    Object.assign(this, { store, send, onChange, onAccepted, onSessionLost });
    this.items = store.get("queue").map((item) => ({ ...item, state: "waiting", problem: "" }));
    this.reachable = true;
  }

  /** Add a message {text} or a pressed button {action, label}. */
  add({ text = "", action = null, label = "" }) {
    const item = { key: freshKey(), text, action, label, at: new Date().toISOString(), state: "waiting", problem: "" };
    this.items.push(item);
    this.#keep();
    this.flush();
    return item;
  }

  retry(key) {
    const item = this.items.find((one) => one.key === key);
    if (item) item.state = "waiting";
    this.nudge();
  }

  discard(key) {
    this.items = this.items.filter((item) => item.key !== key);
    this.#keep();
  }

  /** Forget everything unsent. */
  clear() {
    clearTimeout(this.#timer);
    this.items = [];
    this.#keep();
  }

  /** Try now, whatever the pause was. */
  nudge() {
    this.#tries = 0;
    clearTimeout(this.#timer);
    this.onChange();
    this.flush();
  }

  async flush() {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let item = this.#next(); item; item = this.#next()) {
        if (!(await this.#post(item))) break;
      }
    } finally {
      this.#busy = false;
    }
  }

  #next() {
    return this.items.find((item) => item.state === "waiting");
  }

  /** Send one item; returns whether the next may follow. */
  async #post(item) {
    item.state = "sending";
    item.tried = true;
    this.onChange();
    try {
      const { seq } = await this.send(item.action ? { key: item.key, action: item.action } : { key: item.key, text: item.text });
      if (!this.items.includes(item)) return true;
      this.items = this.items.filter((other) => other !== item);
      this.#tries = 0;
      this.reachable = true;
      this.onAccepted(item, Number(seq));
      this.#keep();
      return true;
    } catch (error) {
      return this.#failed(item, error);
    }
  }

  #failed(item, error) {
    if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
    item.state = "waiting";
    this.reachable = !(error instanceof Unreachable);
    if (error instanceof Problem && SESSION_LOST.includes(error.status)) {
      this.onChange();
      this.onSessionLost();
      return false;
    }
    if (error instanceof Problem && !error.passing) {
      item.state = "failed";
      item.problem = error.status;
      this.#keep();
      return true;
    }
    this.#later(error.retryAfter ?? 0);
    this.onChange();
    return false;
  }

  #later(seconds) {
    const wait = Math.max(Math.min(FIRST_WAIT_MS * 2 ** this.#tries, LONGEST_WAIT_MS), seconds * 1000);
    this.#tries += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), wait * (0.8 + Math.random() * 0.4));
  }

  #keep() {
    this.store.set("queue", this.items.map(({ key, text, action, label, at }) => ({ key, text, action, label, at })));
    this.onChange();
  }
}
