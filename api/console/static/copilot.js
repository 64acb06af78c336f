/** A suggested answer: one press puts it into the field, and the form remembers what the words were made from. */

const NAME = "mayak.suggested.";

function field() {
  const form = document.querySelector("form[data-draft]");
  return form && { form, text: form.elements.text, taken: form.elements.suggestion };
}

/** What was taken before a reload is still what the words were made from; an empty field was made from nothing. */
function remember() {
  const found = field();
  if (!found || found.form.dataset.copilot) return;
  found.form.dataset.copilot = "1";
  const key = NAME + found.form.dataset.draft;
  if (!found.taken.value && found.text.value) found.taken.value = sessionStorage.getItem(key) ?? "";
  found.text.addEventListener("input", () => {
    if (found.text.value.trim()) return;
    found.taken.value = "";
    sessionStorage.removeItem(key);
  });
}

export function copilot() {
  remember();
  document.addEventListener("mayak:renewed", remember);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-take]");
    const found = field();
    if (!link || !found) return;
    event.preventDefault();
    const joint = found.text.value && !found.text.value.endsWith("\n") ? "\n" : "";
    found.text.setRangeText(joint + link.dataset.words, found.text.value.length, found.text.value.length, "end");
    found.taken.value = link.dataset.take;
    sessionStorage.setItem(NAME + found.form.dataset.draft, link.dataset.take);
    found.text.dispatchEvent(new Event("input"));
    found.text.focus();
  });
  // A link that works as a button answers to the space bar too.
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || !event.target.matches("a[data-take]")) return;
    event.preventDefault();
    event.target.click();
  });
}
