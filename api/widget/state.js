/**
 * What the customer sees, folded from the server's events: pure but for telling its listener.
 *
 *   message   one line of the transcript, known by `seq`; replaces the streamed sentences of its turn
 *   sentence  a verified sentence of a turn that is still being written
 *   status typing handoff consent csat   what goes on around them
 */

export class State {
  messages = [];
  sentences = new Map();
  status = "";
  holder = "ai";
  answering = false;
  handoff = null;
  consents = new Map();
  csat = null;
  #turnsPlace = new Map();

  /** Take up one event; returns the names of what changed. */
  apply(type, data) {
    if (data === null || typeof data !== "object") return [];
    const take = { message: "message", sentence: "sentence", status: "status", typing: "typing", handoff: "handoff" }[type];
    if (take) return this[`_${take}`](data);
    if (type === "consent") {
      this.consents.set(String(data.purpose), data);
      return ["log"];
    }
    if (type === "csat") {
      this.csat = String(data.turn ?? "");
      return ["log"];
    }
    return [];
  }

  /** Put a page of history in, oldest first. */
  restore(messages) {
    for (const message of messages) this._message(message);
  }

  _message(data) {
    const seq = Number(data.seq);
    if (!Number.isInteger(seq)) return [];
    const known = this.messages.findIndex((message) => message.seq === seq);
    if (known >= 0 && !this.messages[known].local) return [];
    const message = normal(data, seq);
    if (known >= 0) this.messages.splice(known, 1, { ...message, text: message.text || this.messages[known].text });
    else this.#insert(message);
    if (message.author !== "customer") this.status = "";
    if (message.author === "person") this.answering = false;
    return ["log", "status", "holder", message.author === "customer" || known >= 0 ? "said" : "heard"];
  }

  /** A message of the customer's own, accepted by the server and not yet told by an event. */
  accepted({ seq, text, at }) {
    if (this.messages.some((message) => message.seq === seq)) return;
    this.#insert({ ...normal({ author: "customer", text, at }, seq), local: true });
  }

  #insert(message) {
    const after = this.messages.findLastIndex((other) => other.seq < message.seq);
    this.messages.splice(after + 1, 0, message);
  }

  _sentence(data) {
    const turn = String(data.turn);
    const said = this.sentences.get(turn) ?? [];
    said[Number(data.n)] = { text: String(data.text ?? ""), html: data.html, citations: listOf(data.citations), opening: data.opening === true };
    this.sentences.set(turn, said);
    if (!this.#turnsPlace.has(turn)) this.#turnsPlace.set(turn, this.messages.at(-1)?.seq ?? 0);
    if (this.isWriting(turn)) this.status = "";
    return ["log", "status"];
  }

  _status(data) {
    // Beside a person nothing of the assistant's is shown: its turn may still be ending.
    this.status = this.holder === "person" ? "" : String(data.text ?? "");
    return ["status"];
  }

  /** A person is writing, or has stopped; only where a person speaks. */
  _typing(data) {
    this.answering = data.on === true && this.holder === "person";
    return ["status"];
  }

  _handoff(data) {
    this.holder = ["ai", "queued", "person", "closed"].includes(data.holder) ? data.holder : this.holder;
    this.handoff = data;
    if (this.holder !== "ai") this.status = "";
    if (this.holder !== "person") this.answering = false;
    return ["holder", "log", "status"];
  }

  /** Whether a turn has sentences but not yet its message. */
  isWriting(turn) {
    return !this.messages.some((message) => message.turn === turn && message.author === "ai");
  }

  /** Sentences of turns without a message, each with the `seq` it stands after. */
  writing() {
    const open = [...this.sentences].filter(([turn]) => this.isWriting(turn));
    return open.map(([turn, said]) => ({ turn, said: said.filter(Boolean), after: this.#turnsPlace.get(turn) }));
  }

  /** The message whose buttons can still be pressed: the last one, when the customer has not answered it. */
  get answerable() {
    const last = this.messages.at(-1);
    return last && last.author !== "customer" ? last : null;
  }
}

function normal(data, seq) {
  const author = ["customer", "ai", "person", "system"].includes(data.author) ? data.author : "system";
  return {
    seq, author, name: String(data.name ?? ""), text: String(data.text ?? ""), html: data.html ?? "",
    citations: listOf(data.citations), buttons: listOf(data.buttons), cards: listOf(data.cards), turn: data.turn ? String(data.turn) : "",
    at: data.at ?? "",
  };
}

const listOf = (value) => (Array.isArray(value) ? value.filter((one) => one && typeof one === "object") : []);

/** Number the sources of a message: one number a passage, with every quote that leads to it. */
export function sources(citations) {
  const byPassage = new Map();
  for (const citation of citations) {
    const passage = String(citation.passage);
    const source = byPassage.get(passage) ?? { n: byPassage.size + 1, passage, title: String(citation.title ?? ""), quotes: [] };
    if (citation.quote) source.quotes.push(String(citation.quote));
    byPassage.set(passage, source);
  }
  return [...byPassage.values()];
}
