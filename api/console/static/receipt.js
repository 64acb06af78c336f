/** The receipt of an answer over the page; without a script, and with a key for a new tab, its link opens a page of its own. */

export function receipts(sheet) {
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-receipt]");
    if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    try {
      const answer = await fetch(link.href, { headers: { "X-Part": "1" }, credentials: "same-origin" });
      if (answer.status === 401) return location.assign("/console/login?said=expired");
      if (!answer.ok) return location.assign(link.href);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body.firstElementChild;
      sheet("receipt-words").replaceChildren(fresh);
      show(sheet("receipt"), link.id);
    } catch {
      location.assign(link.href);
    }
  });
}

/** The link may have been renewed meanwhile: the focus goes back to the one with its name. */
function show(dialog, opener) {
  dialog.onclose = () => document.getElementById(opener)?.focus();
  dialog.showModal();
  document.getElementById("receipt-title").focus();
}
