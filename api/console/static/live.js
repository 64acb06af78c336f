/**
 * Keeps the parts of an open page fresh: a stream says which of them became others, and those are fetched. Where there
 * is no stream the server is asked every two seconds; it answers 204 while nothing changed. What the person is doing
 * (scrolling, typing, an open citation) is left alone.
 */

import { open } from "./stream.js";
import { waits } from "./waits.js";

const EVERY_MS = 2000;

const offline = document.querySelector(".offline");

const markOf = (place) => place.querySelector("[data-mark]").dataset.mark;

async function fetched(place) {
  const url = new URL(place.dataset.part, location.href);
  url.searchParams.set("known", markOf(place));
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
  waits();
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

/** Follow the parts of the page; `toEnd` shows the newest message. */
export function follow(toEnd) {
  const places = [...document.querySelectorAll("[data-part]")];
  if (!places.length) return;
  let marks = null;
  let running = false;
  let again = false;
  /** The mark for which a part was fetched last: the page may already show a newer one. */
  const handled = new Map();

  const renew = (place, fresh) => {
    if (fresh?.classList.contains("list-in")) renewList(place, fresh);
    else if (fresh?.classList.contains("case")) renewCase(place, fresh, toEnd);
    else if (fresh) place.replaceChildren(fresh);
  };
  /** A part whose mark the stream told is fetched only when the page shows another one. */
  const isOld = (place) => {
    const told = marks?.[place.dataset.live];
    return !told || (told !== markOf(place) && told !== handled.get(place));
  };
  const renewed = async (place) => {
    const told = marks?.[place.dataset.live];
    renew(place, await fetched(place));
    handled.set(place, told);
  };

  async function look() {
    again = running;
    if (running || document.hidden) return;
    running = true;
    try {
      do {
        again = false;
        // What is in front of the person comes first, the list after it.
        for (const place of places.toReversed()) if (isOld(place)) await renewed(place);
      } while (again);
      offline.hidden = true;
    } catch {
      offline.hidden = false;
    } finally {
      running = false;
    }
  }

  let polling = null;
  const poll = (on) => {
    clearInterval(polling);
    if (!on) return;
    marks = null;
    polling = setInterval(look, EVERY_MS);
  };
  const streamed = document.querySelector("[data-stream]")?.dataset.stream;
  if (streamed) {
    open(streamed, {
      onMarks: (told) => {
        poll(false);
        // What was fetched for a mark counts until another one is told: a sign that fades and returns has the same again.
        for (const place of places) if (told[place.dataset.live] !== marks?.[place.dataset.live]) handled.delete(place);
        marks = told;
        look();
      },
      onLost: () => { offline.hidden = false; },
      onFound: () => { offline.hidden = true; },
      onRefused: () => {
        poll(true);
        look();
      },
      // Nobody is signed in any more, or not as before: the page that comes says so.
      onOver: () => location.reload(),
    });
  } else {
    poll(true);
  }
  document.addEventListener("visibilitychange", look);
  waits();
  setInterval(waits, 1000);
}
