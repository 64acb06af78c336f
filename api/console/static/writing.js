/** Fields: a reply's draft survives a reload, a rejected line can be taken into it, edits are not lost by accident. */

const NAME = "mayak.reply.";

function keepDraft() {
  const form = document.querySelector("form[data-draft]");
  if (!form || form.dataset.kept) return;
  form.dataset.kept = "1";
  const field = form.elements.text;
  const key = NAME + form.dataset.draft;
  if (!field.value) field.value = sessionStorage.getItem(key) ?? "";
  field.addEventListener("input", () => sessionStorage.setItem(key, field.value));
  form.addEventListener("submit", () => sessionStorage.setItem(`${key}.sent`, field.value));
}

/** A reply that arrived needs no draft. */
function forgetSent() {
  const said = new URLSearchParams(location.search).get("said");
  const id = document.querySelector(".case")?.dataset.id;
  if (said !== "replied" || !id) return;
  const key = NAME + id;
  if (sessionStorage.getItem(key) === sessionStorage.getItem(`${key}.sent`)) sessionStorage.removeItem(key);
  sessionStorage.removeItem(`${key}.sent`);
}

function insertDropped() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    const field = document.getElementById("reply");
    if (!button || !field) return;
    const joint = field.value && !field.value.endsWith("\n") ? " " : "";
    field.setRangeText(joint + button.dataset.insert, field.value.length, field.value.length, "end");
    field.dispatchEvent(new Event("input"));
    field.focus();
  });
}

/** Leaving a document with unsaved edits asks first. */
function guard() {
  for (const form of document.querySelectorAll("form[data-guard]")) {
    let changed = false;
    form.addEventListener("input", () => { changed = true; });
    form.addEventListener("submit", () => { changed = false; });
    addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
  }
}

/** What was done is told once: a reload does not repeat it. */
function tellOnce() {
  const url = new URL(location.href);
  const said = url.searchParams.get("said");
  if (!said) return;
  url.searchParams.delete("said");
  history.replaceState(null, "", url);
  if (["claimed", "replied"].includes(said) && matchMedia("(pointer: fine)").matches) document.getElementById("reply")?.focus();
}

export function writing() {
  forgetSent();
  keepDraft();
  tellOnce();
  insertDropped();
  guard();
  document.addEventListener("mayak:renewed", keepDraft);
}
