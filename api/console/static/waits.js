/**
 * The waits of the list go on between two answers of the server, and without one: the ring fills, what is left of the
 * promised time counts down, and past it the delay counts up. The server's clock counts, not this device's.
 */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Share of the promised time after which a wait is nearly late; the server's own. */
const NEAR = 0.7;

const skews = new WeakMap();

function now(list) {
  if (!skews.has(list)) skews.set(list, Date.parse(list.dataset.now) - Date.now());
  return Date.now() + skews.get(list);
}

function unit(name, value) {
  return new Intl.NumberFormat(document.body.dataset.language, { style: "unit", unit: name, unitDisplay: "short" }).format(value);
}

/** 4:10 for less than an hour, then hours, then days. */
function span(ms) {
  if (ms >= DAY_MS) return unit("day", Math.floor(ms / DAY_MS));
  if (ms >= HOUR_MS) return unit("hour", Math.floor(ms / HOUR_MS));
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function put(node, text) {
  if (node && node.textContent !== text) node.textContent = text;
}

function count(minutes, list) {
  const row = minutes.closest(".row");
  const [since, due] = [Date.parse(minutes.dataset.since), Date.parse(minutes.dataset.due)];
  const at = now(list);
  const used = Math.max(0, at - since) / (due - since);
  const haste = used >= 1 ? "late" : used >= NEAR ? "near" : "calm";
  put(minutes, used >= 1 ? `+${span(at - due)}` : span(due - at));
  put(row.querySelector(".row-wait .unseen"), list.dataset[haste]);
  const ring = row.querySelector(".ring");
  ring.setAttribute("class", `ring ring-${haste}`);
  ring.querySelector(".ring-used").setAttribute("stroke-dasharray", `${Math.min(100, Math.max(2, Math.round(100 * used)))} 100`);
  for (const name of ["calm", "near", "late"]) row.classList.toggle(`haste-${name}`, name === haste);
}

/** Where nothing is promised now (out of hours) the wait itself is shown. */
function wait(minutes, list) {
  const passed = Math.floor((now(list) - Date.parse(minutes.dataset.since)) / MINUTE_MS);
  if (passed >= 1 && passed < 60) put(minutes, unit("minute", passed));
}

export function waits() {
  for (const minutes of document.querySelectorAll("[data-since]")) {
    const list = minutes.closest(".rows");
    if (minutes.dataset.due) count(minutes, list);
    else wait(minutes, list);
  }
}
