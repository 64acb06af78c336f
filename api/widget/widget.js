/**
 * <mayak-chat>: the button that opens the chat, on any page.
 *
 *   <script src="https://mayak.example/widget.js" async></script>
 *   <mayak-chat language="ru" identity="…signed token…"></mayak-chat>
 *
 * base      where Mayak is; by default, where this script came from
 * language  ru or en; by default, the page's
 * theme     light, dark or auto (default)
 * identity  the signed token of the customer who is signed in. It is given to the chat by message, never in an
 *           address. Removing or changing it forgets what the earlier customer wrote on this device.
 *
 * Methods: open(), close(). Events: mayak-open, mayak-close, mayak-identity-needed (the token has expired: set a new one).
 */
(() => {
  "use strict";

  const SCRIPT_BASE = document.currentScript ? new URL(".", document.currentScript.src).href : "";
  const REMEMBERED = "mayak:open";
  const WORDS = {
    ru: { open: "Открыть чат с помощником", frame: "Чат с помощником" },
    en: { open: "Open the chat with the assistant", frame: "Chat with the assistant" },
  };
  const STYLE = `
    :host { all: initial; position: fixed; right: var(--mayak-right, 24px); bottom: var(--mayak-bottom, 24px); z-index: 2147483000; }
    :host([hidden]) { display: none; }
    button { position: relative; display: grid; place-items: center; width: 60px; height: 60px; padding: 0; border: 0; border-radius: 50%;
      background: var(--mayak-accent, #0B5FA5); color: #fff; cursor: pointer; box-shadow: 0 8px 24px rgb(10 20 40 / 28%); }
    button:hover { filter: brightness(1.08); }
    button:focus-visible { outline: 2px solid var(--mayak-accent, #0B5FA5); outline-offset: 3px; box-shadow: 0 0 0 3px #fff; }
    .lamp { fill: #F2B01E; }
    .beam { fill: #F2B01E; opacity: .6; }
    .badge { position: absolute; top: -4px; right: -4px; min-width: 24px; height: 24px; padding: 0 6px; box-sizing: border-box; border-radius: 12px;
      background: #B3261E; color: #fff; font: 600 13px/24px system-ui, sans-serif; }
    [hidden] { display: none !important; }
    iframe { position: fixed; right: var(--mayak-right, 24px); bottom: var(--mayak-bottom, 24px); width: 380px; border: 0; border-radius: 18px;
      height: min(640px, calc(100vh - 48px)); height: min(640px, calc(100dvh - 48px)); background: transparent;
      box-shadow: 0 16px 48px rgb(10 20 40 / 28%), 0 0 0 1px rgb(20 33 61 / 10%); color-scheme: normal; }
    @media (max-width: 480px), (max-height: 480px) {
      iframe { inset: 0; width: 100%; height: var(--mayak-height, 100dvh); border-radius: 0; }
    }
    @media (forced-colors: active) { button { border: 2px solid; } }
  `;
  const FIGURE = [
    ["beam", "M15 8.2L25.5 4.6v8.2L15 9.9zM11 8.2L.5 4.6v8.2L11 9.9z"],
    ["", "M10.6 12.2h4.8l2 11.8H8.6zM9.8 6L13 2.9 16.2 6zM6.5 24h13v1.6h-13z"],
    ["lamp", "M13 6.8a2.3 2.3 0 1 1 0 4.6 2.3 2.3 0 0 1 0-4.6z"],
  ];

  class MayakChat extends HTMLElement {
    static observedAttributes = ["language", "theme", "identity"];
    #frame = null;
    #button;
    #badge;
    #open = false;
    #wanted = false;
    #listening = null;

    connectedCallback() {
      if (!this.shadowRoot) this.#furnish();
      this.#listening = new AbortController();
      const { signal } = this.#listening;
      window.addEventListener("message", (event) => this.#hear(event), { signal });
      window.visualViewport?.addEventListener("resize", () => this.#fit(), { signal });
      this.#name();
      if (remembered() !== null) this.#load();
      if (remembered() === "yes") this.#show(false);
    }

    disconnectedCallback() {
      this.#listening?.abort();
      this.#frame?.remove();
      this.#frame = null;
      this.#open = false;
      this.#button.hidden = false;
    }

    attributeChangedCallback(name, before, now) {
      if (before === now || !this.#button) return;
      if (name === "language") this.#name();
      if (name === "identity") this.#tell("identity", { identity: now ?? "" });
      else this.#tell(name, this.#looks());
    }

    open() {
      if (!this.#open) this.#show(true);
    }

    close() {
      if (!this.#open) return;
      this.#open = false;
      remember("no");
      this.#frame.hidden = true;
      this.#button.hidden = false;
      this.#button.setAttribute("aria-expanded", "false");
      this.#tell("closed");
      this.#button.focus();
      this.dispatchEvent(new CustomEvent("mayak-close", { bubbles: true }));
    }

    get base() {
      const base = new URL(this.getAttribute("base") || SCRIPT_BASE || "/", document.baseURI).href;
      return base.endsWith("/") ? base : `${base}/`;
    }

    get #origin() {
      return new URL(this.base).origin;
    }

    get #language() {
      const wanted = this.getAttribute("language") || document.documentElement.lang || navigator.language;
      return wanted.slice(0, 2).toLowerCase();
    }

    #looks() {
      const theme = this.getAttribute("theme");
      return { language: this.#language, theme: ["light", "dark"].includes(theme) ? theme : "auto" };
    }

    #furnish() {
      const root = this.attachShadow({ mode: "open" });
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
      this.#button = document.createElement("button");
      this.#button.type = "button";
      this.#button.setAttribute("aria-expanded", "false");
      this.#badge = document.createElement("span");
      this.#badge.className = "badge";
      this.#badge.hidden = true;
      this.#button.append(figure(), this.#badge);
      this.#button.addEventListener("click", () => this.open());
      root.append(this.#button);
    }

    #name(title = null, unread = "") {
      const words = WORDS[this.#language] ?? WORDS.en;
      this.#button.setAttribute("aria-label", [words.open, unread].filter(Boolean).join(" · "));
      this.#button.title = words.open;
      if (this.#frame) this.#frame.title = title ?? words.frame;
    }

    #load() {
      if (this.#frame) return;
      this.#frame = document.createElement("iframe");
      this.#frame.hidden = true;
      // On one origin a sandbox could be taken off by the frame itself; between two it keeps the frame from moving the page.
      if (this.#origin !== location.origin) {
        this.#frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads");
      }
      this.#frame.setAttribute("referrerpolicy", "origin");
      this.#frame.src = new URL("widget/frame", this.base).href;
      this.shadowRoot.append(this.#frame);
      this.#name();
    }

    #show(byCustomer) {
      this.#load();
      this.#open = true;
      remember("yes");
      this.#frame.hidden = false;
      this.#button.hidden = true;
      this.#button.setAttribute("aria-expanded", "true");
      this.#fit();
      if (byCustomer) {
        this.#frame.focus();
        this.#tell("opened");
      }
      this.#wanted = byCustomer;
      this.dispatchEvent(new CustomEvent("mayak-open", { bubbles: true }));
    }

    /** On a phone the keyboard covers the page: the chat takes what is left of it. */
    #fit() {
      const view = window.visualViewport;
      if (view) this.style.setProperty("--mayak-height", `${Math.round(view.height)}px`);
    }

    #tell(type, facts = {}) {
      this.#frame?.contentWindow?.postMessage({ type: `mayak:${type}`, ...facts }, this.#origin);
    }

    #hear(event) {
      if (!this.#frame || event.source !== this.#frame.contentWindow || event.origin !== this.#origin) return;
      const message = event.data ?? {};
      if (message.type === "mayak:ready") {
        this.#tell("hello", { ...this.#looks(), identity: this.getAttribute("identity") ?? "", open: this.#open, focus: this.#wanted });
      }
      if (message.type === "mayak:close") this.close();
      if (message.type === "mayak:unread") this.#count(Number(message.count) || 0, String(message.text ?? ""));
      if (message.type === "mayak:language") this.#frame.title = String(message.title ?? "");
      if (message.type === "mayak:identity-needed") this.dispatchEvent(new CustomEvent("mayak-identity-needed", { bubbles: true }));
    }

    #count(count, text) {
      this.#badge.hidden = count === 0;
      this.#badge.textContent = count > 9 ? "9+" : String(count);
      this.#name(null, count ? text : "");
    }
  }

  function figure() {
    const space = "http://www.w3.org/2000/svg";
    const drawing = document.createElementNS(space, "svg");
    for (const [name, value] of [["viewBox", "0 0 26 26"], ["width", 32], ["height", 32], ["fill", "currentColor"], ["aria-hidden", "true"]]) {
      drawing.setAttribute(name, value);
    }
    for (const [kind, d] of FIGURE) {
      const path = document.createElementNS(space, "path");
      path.setAttribute("class", kind);
      path.setAttribute("d", d);
      drawing.append(path);
    }
    return drawing;
  }

  /** Whether the chat was open on the page before this one; a page may forbid its storage. */
  function remembered() {
    try {
      return sessionStorage.getItem(REMEMBERED);
    } catch {
      return null;
    }
  }

  function remember(value) {
    try {
      sessionStorage.setItem(REMEMBERED, value);
    } catch {
      // Without storage the chat starts closed on the next page.
    }
  }

  if (!customElements.get("mayak-chat")) customElements.define("mayak-chat", MayakChat);
})();
