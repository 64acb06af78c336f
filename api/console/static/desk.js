/** The tools under the reply: a key opens one and puts the caret into it, and a note's words survive a reload. */

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

export function desk(said) {
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
