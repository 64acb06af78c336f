/**
 * What a browser adds to pages that work without it: fresh parts, keys, drafts that survive, a question before an act.
 */

import { copilot } from "./copilot.js";
import { curating } from "./curating.js";
import { desk } from "./desk.js";
import { files } from "./files.js";
import { follow } from "./live.js";
import { keys } from "./keys.js";
import { receipts } from "./receipt.js";
import { typing } from "./typing.js";
import { writing } from "./writing.js";

document.documentElement.classList.add("js");

const sheet = (id) => document.getElementById(id);

/** Ask once, in words, showing what the customer will read. */
function ask(button) {
  const dialog = sheet("ask");
  sheet("ask-title").textContent = button.dataset.ask;
  sheet("ask-words").textContent = button.dataset.words;
  sheet("ask-yes").textContent = button.textContent.trim();
  dialog.returnValue = "";
  dialog.onclose = () => {
    if (dialog.returnValue === "yes") {
      button.form.submit();
    } else {
      button.focus();
    }
  };
  dialog.showModal();
  sheet("ask-yes").focus();
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) sheet(opener.dataset.opens).showModal();
  const asking = event.target.closest("button[data-ask]");
  if (asking) {
    event.preventDefault();
    ask(asking);
  }
  for (const menu of document.querySelectorAll("details.me[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("submit", (event) => {
  // Twice sent is twice said; after “back” the button works again.
  const button = event.target.querySelector("button:not([type])");
  if (event.target.method === "post" && button) setTimeout(() => { button.disabled = true; });
});
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("button[disabled]")) button.disabled = false;
});

document.addEventListener("change", (event) => {
  if (event.target.id === "department") event.target.form.requestSubmit();
});

for (const fold of document.querySelectorAll(".card-fold")) {
  // On a narrow screen the card would hide the conversation.
  if (matchMedia("(max-width: 1180px)").matches) fold.open = false;
}

const lastSeen = () => {
  const log = document.querySelector(".log");
  if (log) log.scrollTop = log.scrollHeight;
};
lastSeen();
keys(sheet);
receipts(sheet);
desk(new URL(location.href).searchParams.get("said"));
writing();
typing();
copilot();
curating();
files();
follow(lastSeen);
