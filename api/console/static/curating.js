/** For curators: many documents picked at once, progress that renews itself, passages shown while somebody writes. */

const EVERY_MS = 1000;
const PAUSE_MS = 500;

/** Count what is picked; the box in the head picks all. */
function picks() {
  const form = document.querySelector("form[data-picks]");
  if (!form) return;
  const all = form.querySelector("[data-pick-all]");
  const boxes = [...form.querySelectorAll("input[name=document]")];
  const told = form.querySelector("[data-picked]");
  const count = () => {
    const picked = boxes.filter((box) => box.checked).length;
    told.textContent = picked ? `${told.dataset.picked} ${picked}` : "";
    all.checked = picked === boxes.length;
    all.indeterminate = picked > 0 && picked < boxes.length;
  };
  all.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; });
  form.addEventListener("change", count);
  addEventListener("pageshow", count);
}

/** Look how far a job is; when it has ended the page shows what it brought. */
function progress() {
  const place = document.querySelector("[data-renew]");
  if (!place) return;
  const look = async () => {
    let next = EVERY_MS;
    try {
      const answer = await fetch(place.dataset.renew, { credentials: "same-origin", headers: { "X-Part": "1" } });
      if (answer.status === 401) return location.assign("/console/login?said=expired");
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-renew]");
      if (!fresh) return location.replace(place.dataset.renew);
      const [bar, other] = [place.querySelector("progress"), fresh.querySelector("progress")];
      bar.max = other.max;
      if (other.hasAttribute("value")) bar.value = other.value;
      place.querySelector("p").textContent = fresh.querySelector("p").textContent;
    } catch {
      next = 5 * EVERY_MS;
    }
    setTimeout(look, next);
  };
  setTimeout(look, EVERY_MS);
}

/** Show how the text would be cut while it is written; the newest answer wins. */
function passages() {
  const form = document.querySelector("form[data-passages]");
  const place = document.getElementById("passages");
  if (!form || !place) return;
  let timer;
  let asked = 0;
  const show = async () => {
    const own = ++asked;
    const body = new URLSearchParams(new FormData(form));
    try {
      const answer = await fetch(form.dataset.passages, { method: "POST", body, headers: { "X-Part": "1" }, credentials: "same-origin" });
      if (answer.status !== 200 || own !== asked) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("passages");
      if (fresh) place.replaceChildren(...fresh.childNodes);
    } catch {
      // The next letter asks again.
    }
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(show, PAUSE_MS);
  });
}

export function curating() {
  picks();
  progress();
  passages();
}
