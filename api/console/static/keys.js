/** Keys: J and K move through the list, a letter presses the button that carries it, ? explains. */

/* The letter that sits on the same key of a Russian layout counts too; the physical key decides. */
const CODES = { KeyJ: "j", KeyK: "k", KeyC: "c", KeyR: "r", KeyB: "b", KeyE: "e" };

const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;

function move(step) {
  const rows = [...document.querySelectorAll(".rows .row")];
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.getAttribute("aria-current") === "true");
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
  if (next && next !== rows[at]) next.click();
}

export function keys(sheet) {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.id === "reply") {
      event.preventDefault();
      event.target.form.requestSubmit();
      return;
    }
    if (event.key === "Escape" && event.target.id === "reply") event.target.blur();
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    if (event.key === "?" || (event.key === "," && event.shiftKey && event.code === "Slash")) {
      event.preventDefault();
      sheet("keys").showModal();
      return;
    }
    const key = CODES[event.code];
    if (!key || event.shiftKey) return;
    const reply = document.getElementById("reply");
    const button = document.querySelector(`button[data-key="${key}"]`);
    if (key === "j") move(1);
    else if (key === "k") move(-1);
    else if (key === "r" && reply) reply.focus();
    else if (button) button.click();
    else return;
    event.preventDefault();
  });
}
