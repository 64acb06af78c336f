/** The tools under the reply: a key opens one and puts the caret into it, a note's words survive a reload, and an answer that
 * is ready is found by its words and inserted, its first gap chosen. */

const CODES = { KeyN: "n", KeyT: "t", KeyS: "s" };
const NAME = "mayak.note.";

const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;

function openTool(key) {
  const tool = document.querySelector(`details.tool[data-key="${key}"]`);
  if (!tool) return false;
  tool.open = true;
  tool.querySelector("textarea, select, form.pair button, input:not([type=hidden])")?.focus();
  return true;
}

/** An open tool takes its room from the log: whoever read its end still sees it. */
function keepEnd() {
  const log = document.querySelector(".log");
  if (log) log.scrollTop = log.scrollHeight;
}

function keepNote() {
  const form = document.querySelector("form[data-note]");
  if (!form || form.dataset.kept) return;
  form.dataset.kept = "1";
  const field = form.elements.note;
  const key = NAME + form.dataset.note;
  if (!field.value) field.value = sessionStorage.getItem(key) ?? "";
  field.addEventListener("input", () => sessionStorage.setItem(key, field.value));
}

/** A note that was written needs no draft. */
function forgetNoted(said) {
  const id = document.querySelector(".case")?.dataset.id;
  if (said === "noted" && id) sessionStorage.removeItem(NAME + id);
}

const GAP = /⟨[^⟨⟩]*⟩/;

function insertReady(button) {
  const field = document.getElementById("reply");
  if (!field) return;
  const from = field.selectionStart;
  const joint = field.value.slice(0, from).trim() && !/\s$/.test(field.value.slice(0, from)) ? "\n" : "";
  field.setRangeText(joint + button.dataset.ready, from, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input"));
  button.closest("details").open = false;
  field.focus();
  const gap = GAP.exec(field.value);
  if (gap) field.setSelectionRange(gap.index, gap.index + gap[0].length);
}

function findReady(search) {
  const words = search.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const list = search.closest(".ready-list");
  let shown = 0;
  for (const row of list.querySelectorAll("li")) {
    const text = row.textContent.toLocaleLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
    shown += row.hidden ? 0 : 1;
  }
  list.querySelector("[data-ready-none]").hidden = shown > 0;
}

function ready() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-ready]");
    if (!button) return;
    event.preventDefault();
    insertReady(button);
  });
  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-ready-search]")) findReady(event.target);
  });
  document.addEventListener("keydown", (event) => {
    // In a form, Enter would press its first button, whichever that is.
    if (event.key !== "Enter" || !event.target.matches?.("[data-ready-search]")) return;
    event.preventDefault();
    const first = event.target.closest(".ready-list").querySelector("li:not([hidden]) button");
    if (first) insertReady(first);
  });
  document.addEventListener("toggle", (event) => {
    if (event.target.matches("details.ready[open]")) event.target.querySelector("[data-ready-search]")?.focus();
  }, true);
}

export function desk(said) {
  ready();
  forgetNoted(said);
  keepNote();
  document.addEventListener("mayak:renewed", keepNote);
  document.addEventListener("toggle", (event) => { if (event.target.matches("details.tool[open]")) keepEnd(); }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.closest?.("details.tool")) {
      const tool = event.target.closest("details.tool");
      tool.open = false;
      tool.querySelector("summary").focus();
      return;
    }
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && event.target.id === "note") {
      event.preventDefault();
      event.target.form.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]") || !CODES[event.code]) return;
    if (openTool(CODES[event.code])) event.preventDefault();
  });
}
