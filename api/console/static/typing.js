/** While a reply is written, the customer sees that somebody is writing; losing such a word does no harm. */

const EVERY_MS = 2000;

export function typing() {
  let told = 0;
  document.addEventListener("input", (event) => {
    const form = event.target.id === "reply" ? event.target.form : null;
    if (!form || !event.target.value.trim() || Date.now() - told < EVERY_MS) return;
    told = Date.now();
    const body = new FormData();
    body.set("form_token", form.elements.form_token.value);
    const address = form.action.replace(/reply$/, "typing");
    fetch(address, { method: "POST", body, credentials: "same-origin" }).catch(() => {});
  });
}
