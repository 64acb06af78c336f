/** Server-sent events over fetch: the token travels in a header, a lost connection resumes by the last id. */

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 20_000;
const SILENCE_MS = 45_000;

/** Cut a growing text into events; feed it pieces, it returns finished {id, type, data}. */
export class Frames {
  #rest = "";

  feed(piece) {
    this.#rest = (this.#rest + piece).replace(/\r\n|\r(?=.)/gs, "\n");
    const parts = this.#rest.split("\n\n");
    this.#rest = parts.pop();
    return parts.map(frame).filter((event) => event !== null);
  }
}

function frame(text) {
  const event = { id: null, type: "message", data: "" };
  const lines = [];
  for (const line of text.split("\n")) {
    const [, field, value] = line.match(/^([^:]*):? ?(.*)$/s);
    if (field === "id") event.id = value;
    else if (field === "event") event.type = value;
    else if (field === "data") lines.push(value);
  }
  if (!lines.length) return null;
  try {
    event.data = JSON.parse(lines.join("\n"));
  } catch {
    return null;
  }
  return event;
}

/**
 * Follows one conversation until `stop`. `onEvent(type, data, id)`, `onState("open" | "lost")`,
 * `onRefused(status)` when the server says the token or the conversation is not valid (the stream ends).
 */
export class Stream {
  #stopped = false;
  #last = "";
  #tries = 0;
  #wake = null;
  #abort = null;

  constructor({ address, token, onEvent, onState, onRefused }) {
    Object.assign(this, { address, token, onEvent, onState, onRefused });
  }

  async start() {
    while (!this.#stopped) {
      const refused = await this.#follow();
      if (this.#stopped) return;
      if (refused) {
        this.#stopped = true;
        this.onRefused(refused);
        return;
      }
      await this.#pause();
    }
  }

  stop() {
    this.#stopped = true;
    this.#abort?.abort();
    this.#wake?.();
  }

  /** Try again now: the device came back online or the page became visible. */
  nudge() {
    this.#tries = 0;
    this.#wake?.();
  }

  /** Drop a connection that may be dead without knowing it (the device slept or went offline). */
  drop() {
    this.#abort?.abort();
  }

  async #follow() {
    this.#abort = new AbortController();
    let watchdog = null;
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => this.#abort.abort(), SILENCE_MS);
    };
    try {
      alive();
      const response = await this.#connect();
      if ([401, 403, 404, 410].includes(response.status)) return response.status;
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      this.onState("open");
      await this.#read(response.body.getReader(), alive);
    } catch {
      // Every failure here is a lost connection: it is shown by state and tried again.
    } finally {
      clearTimeout(watchdog);
    }
    if (!this.#stopped) this.onState("lost");
    return 0;
  }

  #connect() {
    const headers = { Accept: "text/event-stream", Authorization: `Bearer ${this.token}` };
    if (this.#last) headers["Last-Event-ID"] = this.#last;
    return fetch(this.address, { headers, credentials: "omit", cache: "no-store", signal: this.#abort.signal });
  }

  async #read(reader, alive) {
    const frames = new Frames();
    const decoder = new TextDecoder();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      alive();
      for (const event of frames.feed(decoder.decode(value, { stream: true }))) {
        if (event.id) this.#last = event.id;
        this.#tries = 0;
        this.#deliver(event);
      }
    }
  }

  /** A fault in showing one event must neither cut the stream nor hide. */
  #deliver(event) {
    try {
      this.onEvent(event.type, event.data, event.id);
    } catch (error) {
      reportError(error);
    }
  }

  #pause() {
    const wait = Math.min(FIRST_WAIT_MS * 2 ** this.#tries, LONGEST_WAIT_MS) * (0.75 + Math.random() / 2);
    this.#tries += 1;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, wait);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
