/** Minutes go on between two answers of the server, and without one. */

const MINUTE_MS = 60_000;

export function waits() {
  const language = document.body.dataset.language;
  for (const one of document.querySelectorAll("[data-since]")) {
    const minutes = Math.floor((Date.now() - Date.parse(one.dataset.since)) / MINUTE_MS);
    if (minutes < 1 || minutes >= 60) continue;
    one.textContent = new Intl.NumberFormat(language, { style: "unit", unit: "minute", unitDisplay: "short" }).format(minutes);
  }
}
