/** Words of the interface in the current language: `say("key", {facts})`, with plural forms by number. */

const words = {};
let order = [];
let language = "ru";
const LOCALES = { ru: "ru-RU", en: "en-GB" };
const ISO_DAY = /^\d{4}-\d\d-\d\d$/;

/** Load every language once, so that switching is immediate. */
export async function load(languages) {
  order = languages;
  await Promise.all(
    languages.map(async (name) => {
      const answer = await fetch(new URL(`texts.${name}.json`, import.meta.url));
      words[name] = await answer.json();
    }),
  );
}

export function use(name) {
  if (words[name]) language = name;
  document.documentElement.lang = language;
}

export const current = () => language;

/** Languages that can be shown, in order; `wanted` narrows them to those the company speaks. */
export function available(wanted = null) {
  const spoken = order.filter((name) => words[name] && (!wanted?.length || wanted.includes(name)));
  return spoken.length ? spoken : order;
}

export const nameOf = (name) => words[name].language;

/** Return the text of `key`; a value with plural forms chooses by `facts.n`. */
export function say(key, facts = {}) {
  let text = words[language]?.[key];
  if (text === undefined) return key;
  if (typeof text === "object") {
    const form = new Intl.PluralRules(language).select(facts.n ?? 0);
    text = text[form] ?? text.other;
  }
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in facts ? String(facts[name]) : whole));
}

/** Choose from what the server sends by language; a plain value serves every language. */
export function pick(value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return value[language] ?? Object.values(value)[0];
}

export function clock(at) {
  const moment = new Date(at);
  if (Number.isNaN(moment.getTime())) return "";
  return new Intl.DateTimeFormat(LOCALES[language], { hour: "2-digit", minute: "2-digit" }).format(moment);
}

/** A version of a text that is a day, as a day; any other as it is. */
export function edition(version) {
  const moment = new Date(`${version}T12:00`);
  if (!ISO_DAY.test(version) || Number.isNaN(moment.getTime())) return version;
  const told = new Intl.DateTimeFormat(LOCALES[language], { day: "numeric", month: "long", year: "numeric" }).format(moment);
  return told.replace(/\s*г\.$/, "");
}

/** Name a day the way people do: today, yesterday, «12 ноября». */
export function day(at, now = new Date()) {
  const moment = new Date(at);
  if (Number.isNaN(moment.getTime())) return "";
  const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const distance = Math.round((midnight(now) - midnight(moment)) / 86_400_000);
  if (distance === 0) return say("day.today");
  if (distance === 1) return say("day.yesterday");
  return new Intl.DateTimeFormat(LOCALES[language], { day: "numeric", month: "long" }).format(moment);
}
