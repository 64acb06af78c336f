/**
 * Keeps the parts of an open page fresh. The server answers 204 while nothing changed, so asking costs little; what the
 * person is doing (scrolling, typing, an open citation) is left alone.
 */

const EVERY_MS = 2000;
const MINUTE_MS = 60_000;

const offline = document.querySelector(".offline");

async function fetched(place) {
  const url = new URL(place.dataset.part, location.href);
  url.searchParams.set("known", place.querySelector("[data-mark]").dataset.mark);
  const answer = await fetch(url, { headers: { "X-Part": "1" }, credentials: "same-origin" });
  if (answer.status === 401) location.assign("/console/login?said=expired");
  if (answer.status !== 200) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html").body.firstElementChild;
}

function put(old, fresh) {
  if (old && fresh) old.replaceWith(fresh);
}

/** Replace the list; focus and scroll stay where they were. */
function renewList(place, fresh) {
  const focused = document.activeElement?.id;
  const top = place.querySelector(".rows")?.scrollTop ?? 0;
  const choosing = focused === "department";
  if (choosing) fresh.querySelector(".list-filter").replaceWith(place.querySelector(".list-filter"));
  place.replaceChildren(fresh);
  const rows = place.querySelector(".rows");
  if (rows) rows.scrollTop = top;
  if (focused && place.querySelector(`#${CSS.escape(focused)}`)) document.getElementById(focused).focus();
}

/** Replace a conversation's parts; the field is left alone unless who may write has changed. */
function renewCase(place, fresh, toEnd) {
  const old = place.firstElementChild;
  const log = old.querySelector(".log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  const top = log.scrollTop;
  const open = [...old.querySelectorAll(".entry details[open]")].map((one) => one.closest(".entry").id);
  const fold = old.querySelector(".card-fold").open;
  const scrolled = old.querySelector(".card").scrollTop;
  fresh.querySelector(".card-fold").open = fold;
  for (const id of open) fresh.querySelector(`#${CSS.escape(id)} details`)?.setAttribute("open", "");
  put(old.querySelector(".talk-head"), fresh.querySelector(".talk-head"));
  put(old.querySelector(".card"), fresh.querySelector(".card"));
  put(log, fresh.querySelector(".log"));
  const [answer, other] = [old.querySelector(".answer"), fresh.querySelector(".answer")];
  if (answer.dataset.state !== other.dataset.state) put(answer, other);
  old.dataset.mark = fresh.dataset.mark;
  old.querySelector(".card").scrollTop = scrolled;
  if (atEnd) toEnd();
  else old.querySelector(".log").scrollTop = top;
  document.dispatchEvent(new Event("mayak:renewed"));
}

/** Minutes go on between two answers of the server. */
function waits() {
  const language = document.body.dataset.language;
  for (const one of document.querySelectorAll("[data-since]")) {
    const minutes = Math.floor((Date.now() - Date.parse(one.dataset.since)) / MINUTE_MS);
    if (minutes < 1 || minutes >= 60) continue;
    one.textContent = new Intl.NumberFormat(language, { style: "unit", unit: "minute", unitDisplay: "short" }).format(minutes);
  }
}

export function follow(toEnd) {
  const places = [...document.querySelectorAll("[data-part]")];
  if (!places.length) return;
  let busy = false;
  async function look() {
    if (busy || document.hidden) return;
    busy = true;
    try {
      for (const place of places) {
        const fresh = await fetched(place);
        if (fresh?.classList.contains("list-in")) renewList(place, fresh);
        else if (fresh?.classList.contains("case")) renewCase(place, fresh, toEnd);
      }
      offline.hidden = true;
    } catch {
      offline.hidden = false;
    } finally {
      busy = false;
    }
  }
  setInterval(look, EVERY_MS);
  setInterval(waits, MINUTE_MS / 4);
  document.addEventListener("visibilitychange", look);
}
