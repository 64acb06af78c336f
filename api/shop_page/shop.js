/** The shop's side of the chat: opens it on request, and brings a new token when the old one has run out. */

const chat = document.querySelector("mayak-chat");

for (const button of document.querySelectorAll("[data-ask]")) button.addEventListener("click", () => chat.open());

chat.addEventListener("mayak-identity-needed", async () => {
  if (!chat.dataset.login) return;
  const answer = await fetch("sign-in", {
    method: "POST",
    headers: { Accept: "application/json" },
    body: new URLSearchParams({ login: chat.dataset.login }),
  });
  if (answer.ok) chat.setAttribute("identity", (await answer.json()).identity);
});

const account = document.querySelector("details.account");
document.addEventListener("pointerdown", (event) => {
  if (account?.open && !account.contains(event.target)) account.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && account?.open) {
    account.open = false;
    account.querySelector("summary").focus();
  }
});
