/** Files chosen or dropped: what is chosen is listed, and what is too large is told before it travels. */

const MEGABYTE = 1_000_000;
const SIZE = new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: "megabyte", maximumFractionDigits: 1 });

function zone(place) {
  const field = place.querySelector("input[type=file]");
  const list = place.querySelector("[data-files-chosen]");
  const trouble = place.querySelector("[data-files-trouble]");

  const wrong = (files) => {
    const large = files.find((file) => file.size > Number(place.dataset.most));
    if (large) return place.dataset.tooLarge.replace("%file%", large.name);
    const all = files.reduce((sum, file) => sum + file.size, 0);
    return all > Number(place.dataset.all) ? place.dataset.allTooLarge : "";
  };

  const check = () => {
    const files = [...field.files];
    list.replaceChildren(...files.map((file) => {
      const line = document.createElement("li");
      const told = document.createElement("span");
      told.className = "muted small";
      told.textContent = SIZE.format(Math.max(file.size / MEGABYTE, 0.1));
      line.append(`${file.name} `, told);
      return line;
    }));
    const told = wrong(files);
    trouble.hidden = !told;
    trouble.querySelector("span").textContent = told;
    return !told;
  };

  field.addEventListener("change", check);
  field.form.addEventListener("submit", (event) => {
    if (check()) return;
    event.preventDefault();
    event.stopPropagation();
    field.focus();
  });
  place.addEventListener("dragover", (event) => { event.preventDefault(); place.classList.add("over"); });
  place.addEventListener("dragleave", () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    if (event.dataTransfer.files.length) field.files = event.dataTransfer.files;
    check();
  });
  addEventListener("pageshow", check);
}

export function files() {
  for (const place of document.querySelectorAll("[data-files]")) zone(place);
}
