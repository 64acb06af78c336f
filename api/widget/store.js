/** What survives a reload, in the storage of the frame's own origin; memory where storage is forbidden. */

const PLACE = "mayak:1";

const EMPTY = { subject: "", session: null, queue: [], draft: "", rated: {}, sound: false, language: null };

function storage() {
  try {
    localStorage.setItem("mayak:probe", "1");
    localStorage.removeItem("mayak:probe");
    return localStorage;
  } catch {
    return null;
  }
}

export class Store {
  #storage = storage();
  #data = { ...EMPTY };

  constructor() {
    this.#read();
    window.addEventListener("storage", (event) => event.key === PLACE && this.#read());
  }

  /** Take over what is stored; another window of the same customer may have written it. */
  #read() {
    let read = null;
    try {
      read = JSON.parse(this.#storage?.getItem(PLACE) ?? "null");
    } catch {
      // A spoiled record is the same as none.
    }
    this.#data = { ...EMPTY, ...(read !== null && typeof read === "object" ? read : {}) };
    if (!Array.isArray(this.#data.queue)) this.#data.queue = [];
  }

  get(name) {
    return this.#data[name];
  }

  set(name, value) {
    this.#data[name] = value;
    try {
      this.#storage?.setItem(PLACE, JSON.stringify(this.#data));
    } catch {
      // A full disk must not stop the conversation; it goes on in memory.
    }
  }

  /**
   * Say whose device this is now. When the person changed (signed in, out or over), everything of the
   * earlier one is forgotten, unsent words included. Returns whether the person changed.
   */
  belongTo(subject) {
    if (this.#data.subject === subject) return false;
    const kept = { sound: this.#data.sound, language: this.#data.language };
    this.#data = { ...EMPTY, ...kept, queue: [], rated: {} };
    this.set("subject", subject);
    return true;
  }

  /** Forget the conversation, keep the person and what they prefer. */
  leaveConversation() {
    Object.assign(this.#data, { session: null, rated: {}, draft: "" });
    this.set("queue", []);
  }
}

/**
 * Reduce a signed identity to a short mark of its subject: enough to notice another person, useless to
 * learn who it is. Nothing is verified here; the server does that.
 */
export function subjectOf(identity) {
  if (!identity) return "";
  let subject = identity;
  try {
    const middle = identity.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    subject = String(JSON.parse(atob(middle)).sub ?? identity);
  } catch {
    // Not readable: the whole token stands for its owner.
  }
  return fingerprint(subject);
}

/** FNV-1a, 64 bits: short, and the same for the same text. */
function fingerprint(text) {
  let sum = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    sum = BigInt.asUintN(64, (sum ^ BigInt(byte)) * 0x100000001b3n);
  }
  return sum.toString(36);
}

/** A key by which the server accepts a message once; works without a secure context. */
export function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
