/** Mayak's HTTP contract as the widget uses it. Paths are relative to where Mayak is mounted. */

const PATIENCE_MS = 15_000;

/** The server answered with an error (RFC 9457); `detail` and `remedy` are for people. */
export class Problem extends Error {
  constructor({ status, title = "", detail = "", remedy = "", retryAfter = 0 }) {
    super(detail || title || `HTTP ${status}`);
    Object.assign(this, { status, title, detail, remedy, retryAfter });
  }

  /** Whether the same request may succeed later. */
  get passing() {
    return this.status >= 500 || this.status === 429 || this.status === 408;
  }
}

/** No answer at all: the network is away or the server is. */
export class Unreachable extends Error {}

export class Api {
  /** `root` is the address of Mayak, with a slash at the end. */
  constructor(root) {
    this.root = root;
  }

  config() {
    return this.#call("GET", "v1/widget/config");
  }

  open({ language, identity }) {
    const body = identity ? { language, channel: "widget", identity } : { language, channel: "widget" };
    return this.#call("POST", "v1/conversations", { body });
  }

  history(session) {
    return this.#call("GET", this.#path(session, "messages"), { session });
  }

  /** `message` is {key, text} or {key, action}; the same key is accepted once. */
  send(session, message) {
    return this.#call("POST", this.#path(session, "messages"), { session, body: message });
  }

  typing(session) {
    return this.#call("POST", this.#path(session, "typing"), { session, body: {} });
  }

  passage(session, id) {
    return this.#call("GET", this.#path(session, "passages", id), { session });
  }

  receipt(session, turn, language) {
    return this.#call("GET", `${this.#path(session, "receipts", turn)}?language=${encodeURIComponent(language)}`, { session });
  }

  /** Everything held about the bearer; `can` lists what they may do with it. */
  me(session) {
    return this.#call("GET", "v1/me", { session });
  }

  /** The same as a file: "json" or "html". */
  async meAs(session, format) {
    const response = await this.#fetch("GET", `v1/me?format=${encodeURIComponent(format)}`, { session });
    return response.ok ? response.blob() : answer(response);
  }

  erase(session) {
    return this.#call("DELETE", "v1/me", { session });
  }

  /** How far a deletion is: {state, counts, kept, proof}; its number opens it, no token does any more. */
  erasure(id) {
    return this.#call("GET", `v1/erasures/${encodeURIComponent(id)}`, {});
  }

  consents(session) {
    return this.#call("GET", this.#path(session, "consents"), { session });
  }

  setConsent(session, purpose, granted) {
    return this.#call("POST", this.#path(session, "consents"), { session, body: { purpose, granted } });
  }

  eventsAddress(session) {
    return this.root + this.#path(session, "events");
  }

  #path(session, ...parts) {
    return ["v1", "conversations", session.id, ...parts].map(encodeURIComponent).join("/");
  }

  async #call(method, path, options) {
    return answer(await this.#fetch(method, path, options));
  }

  async #fetch(method, path, { session = null, body = null } = {}) {
    const headers = { Accept: "application/json" };
    if (session) headers.Authorization = `Bearer ${session.token}`;
    if (body) headers["Content-Type"] = "application/json";
    try {
      return await fetch(this.root + path, {
        method, headers, body: body ? JSON.stringify(body) : undefined,
        credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS),
      });
    } catch (error) {
      throw new Unreachable(error.message);
    }
  }
}

async function answer(response) {
  const text = await response.text().catch(() => "");
  let data = {};
  try {
    data = text ? JSON.parse(text) : {};
  } catch {
    if (response.ok) throw new Unreachable("The answer is not JSON");
  }
  if (response.ok) return data;
  const retryAfter = Number(response.headers.get("Retry-After")) || 0;
  throw new Problem({ ...words(data), status: response.status, retryAfter });
}

function words(data) {
  const text = (value) => (typeof value === "string" ? value : "");
  return { title: text(data.title), detail: text(data.detail), remedy: text(data.remedy) };
}
