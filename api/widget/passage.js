/** A passage of a document as people read it: paragraphs, lists and tables, with the quoted words marked. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { say } from "./texts.js";

const ROW = /^\s*\|.*\|\s*$/;
const ITEM = /^\s*[•*-]\s+/;

export function passageContent(passage, quotes) {
  const body = h("div", { class: "passage" }, blocks(String(passage.text ?? "")));
  for (const quote of quotes) mark(body, quote);
  const page = Number.isInteger(passage.page) ? say("citation.page", { n: passage.page }) : "";
  const crumb = [passage.title, page].filter(Boolean).join(" · ");
  return [
    h("p", { class: "crumb" }, icon("document", 16), h("span", { text: crumb })),
    passage.heading ? h("h3", { text: passage.heading }) : null,
    body,
  ];
}

/** Passages keep the rows of a table between bars and the items of a list behind a dot. */
function blocks(text) {
  const made = [];
  for (const line of text.split("\n").filter((one) => one.trim())) {
    const kind = ROW.test(line) ? "table" : ITEM.test(line) ? "ul" : "p";
    const last = made.at(-1);
    if (kind !== "p" && last?.localName === kind) last.append(kind === "ul" ? item(line) : row(line, "td"));
    else if (kind === "table") made.push(h("table", {}, row(line, "th")));
    else made.push(kind === "ul" ? h("ul", {}, item(line)) : h("p", { text: line.trim() }));
  }
  return made;
}

const item = (line) => h("li", { text: line.replace(ITEM, "") });

function row(line, cell) {
  const texts = line.trim().slice(1, -1).split("|").map((one) => one.trim());
  return h("tr", {}, texts.map((text) => h(cell, { text })));
}

/** Mark a quote where its words stand one after another, whatever parts them; else the table row it retells. */
function mark(body, quote) {
  const pieces = [];
  const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  let whole = "";
  while (walker.nextNode()) {
    pieces.push({ node: walker.currentNode, start: whole.length });
    whole += `${walker.currentNode.data}\n`;
  }
  const words = quote.trim().split(/[\s•]+/).filter(Boolean).map((word) => word.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&"));
  const found = words.length ? new RegExp(words.join("[\\s•]+")).exec(whole) : null;
  if (found === null) {
    markRow(body, quote);
    return;
  }
  const end = found.index + found[0].length;
  for (const { node, start } of pieces) {
    const [from, to] = [Math.max(found.index - start, 0), Math.min(end - start, node.data.length)];
    if (from >= to) continue;
    const rest = node.splitText(from);
    rest.splitText(to - from);
    const around = h("mark");
    rest.replaceWith(around);
    around.append(rest);
  }
}

/** An answer retells a row as «first cell — header: cell, …»: all its cells are there, the first one first. */
function markRow(body, quote) {
  for (const line of body.querySelectorAll("tr")) {
    const cells = [...line.cells].map((cell) => cell.textContent).filter(Boolean);
    if (cells.length > 1 && quote.startsWith(cells[0]) && cells.every((cell) => quote.includes(cell))) line.className = "marked";
  }
}
