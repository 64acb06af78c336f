/**
 * The frame's side of the talk with the page around it. Only the page that embeds the frame is heard, and only
 * when its origin is on the list the server wrote into the frame; nothing secret is ever sent to it.
 */

const LANGUAGE = /^[a-z]{2}$/;
const THEMES = ["light", "dark", "auto"];
const LONGEST_IDENTITY = 8192;

export class Bridge {
  #origin = null;
  #heard;

  /** `onMessage({type, …})` gets checked messages: hello, identity, language, theme, opened, closed. */
  constructor({ origins, onMessage }) {
    this.allowed = new Set([location.origin, ...origins]);
    this.onMessage = onMessage;
    this.embedded = window.parent !== window;
    window.addEventListener("message", (event) => this.#hear(event));
  }

  /**
   * Ask the page who is here; resolves to its hello, or to an empty one when there is no page to ask. A page that
   * may not embed the chat is never heard, so nothing begins there.
   */
  greet() {
    if (!this.embedded) return Promise.resolve({ type: "hello" });
    const hello = new Promise((resolve) => (this.#heard = resolve));
    // Who embeds us is not known yet, and the word says nothing: any origin may hear it.
    window.parent.postMessage({ type: "mayak:ready" }, "*");
    return hello;
  }

  tell(type, facts = {}) {
    if (this.embedded && this.#origin) window.parent.postMessage({ type: `mayak:${type}`, ...facts }, this.#origin);
  }

  #hear(event) {
    if (!this.embedded || event.source !== window.parent || !this.allowed.has(event.origin)) return;
    if (this.#origin !== null && event.origin !== this.#origin) return;
    const message = checked(event.data);
    if (message === null) return;
    this.#origin = event.origin;
    if (message.type === "hello" && this.#heard) {
      this.#heard(message);
      this.#heard = null;
      return;
    }
    this.onMessage(message);
  }
}

/** Return the message with nothing but known, well-formed fields, or null. */
export function checked(data) {
  if (data === null || typeof data !== "object" || typeof data.type !== "string") return null;
  const type = data.type.replace(/^mayak:/, "");
  if (type === data.type || !["hello", "identity", "language", "theme", "opened", "closed"].includes(type)) return null;
  const message = { type };
  if (typeof data.identity === "string" && data.identity.length <= LONGEST_IDENTITY) message.identity = data.identity;
  if (LANGUAGE.test(data.language ?? "")) message.language = data.language;
  if (THEMES.includes(data.theme)) message.theme = data.theme;
  for (const name of ["open", "focus"]) if (typeof data[name] === "boolean") message[name] = data[name];
  return message;
}
