"""Sentences for customers: TOML templates with typed placeholders, in two languages.

    [order]
    items = "В заказе {order} {count:plural товар|товара|товаров} на {total:money}."

    phrases.say("order.items", "ru", order="1045-А", count=2, total=4290)

Placeholders: `{x}` text · `{x:number}` · `{x:money}` in the fact `currency`, else in the house's · `{x:date}` day and month · `{x:fulldate}` with the year ·
`{x:time}` · `{x:plural a|b|c}` the number with its word · `{x:word a|b|c}` the word alone · `{x:list}`.
Strings are templates; arrays are data (cues, regular expressions) and are read with `items`.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import cast, get_args
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal

from tools.context import Language

LANGUAGES: tuple[Language, ...] = get_args(Language)
NBSP = "\u00a0"

_PLACEHOLDER = re.compile(r"\{(?P<name>\w+)(?::(?P<kind>\w+)(?:\s+(?P<forms>[^{}]*))?)?\}")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")
_SHOWN_CHARS = 120
"""Of a value that cannot be said, in the fault that says so."""
_CURRENCY_CHARS = 8
# The form a language uses for each CLDR plural category; fractions take «few» in Russian: 1,5 товара.
_FORMS: Mapping[Language, Mapping[str, int]] = {
    "ru": {"one": 0, "few": 1, "many": 2, "other": 1},
    "en": {"one": 0, "other": 1},
}
_LOCALES: Mapping[Language, Locale] = {"ru": Locale("ru"), "en": Locale("en", "GB")}


class PhraseFault(LookupError):
    """A text is missing or wrongly written; `remedy` says where to put it right."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(f"{message}. {remedy}")
        self.remedy = remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One placeholder of a template, e.g. name="count", kind="plural", forms=("товар", "товара", "товаров")."""

    name: str
    kind: str
    forms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Template:
    parts: tuple[str | Place, ...]

    def places(self) -> tuple[Place, ...]:
        return tuple(part for part in self.parts if isinstance(part, Place))


class Phrases:
    """The texts of one room: `<folder>/ru.toml` and `<folder>/en.toml`, read and checked once.

    `currency` is ISO 4217; `timezone` is where a moment becomes a day; `more` are texts by whole key that stand
    beside those of the files, or in their place. Raises `PhraseFault` for a broken file or text.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        currency: str = "RUB",
        timezone: str = "UTC",
        more: Mapping[Language, Mapping[str, object]] = MappingProxyType({}),
    ) -> None:
        self._folder = Path(folder)
        self._more = more
        self._currency = currency
        self._zone: tzinfo = ZoneInfo(timezone)
        self._templates: dict[Language, dict[str, _Template]] = {}
        self._items: dict[Language, dict[str, tuple[str, ...]]] = {}
        for language in LANGUAGES:
            self._load(language)

    def say(self, key: str, language: Language, **facts: object) -> str:
        """Return the sentence `key`; facts the template does not use are ignored, a missing one raises."""
        template = self._template(key, language)
        said = [
            part if isinstance(part, str) else self._fill(part, key, language, facts)
            for part in template.parts
        ]
        return "".join(said)

    def local(self, moment: datetime) -> datetime:
        """Return an aware moment in the zone in which moments become days here; a naive one as it is."""
        return moment.astimezone(self._zone) if moment.tzinfo is not None else moment

    def items(self, key: str, language: Language) -> tuple[str, ...]:
        """Return the array `key`, such as `cues.order_status`."""
        found = self._items[language].get(key)
        if found is None:
            raise self._missing(key, language)
        return found

    def has(self, key: str, language: Language) -> bool:
        return key in self._templates[language]

    def keys(self, language: Language) -> frozenset[str]:
        """All keys, of sentences and of arrays."""
        return frozenset(self._templates[language]) | frozenset(self._items[language])

    def placeholders(self, key: str, language: Language) -> tuple[Place, ...]:
        return self._template(key, language).places()

    def differences(self) -> list[str]:
        """Say where the languages disagree: a key or a placeholder that only one of them has."""
        first, *others = LANGUAGES
        found: list[str] = []
        for other in others:
            found += [
                f"{key}: not in both {first} and {other}"
                for key in sorted(self.keys(first) ^ self.keys(other))
            ]
            for key in sorted(self._templates[first].keys() & self._templates[other].keys()):
                mine, theirs = (self._shape(key, language) for language in (first, other))
                if mine != theirs:
                    found.append(f"{key}: {first} has {sorted(mine)}, {other} has {sorted(theirs)}")
        return found

    def _shape(self, key: str, language: Language) -> frozenset[tuple[str, str]]:
        return frozenset((place.name, place.kind) for place in self.placeholders(key, language))

    def _template(self, key: str, language: Language) -> _Template:
        found = self._templates[language].get(key)
        if found is None:
            raise self._missing(key, language)
        return found

    def _missing(self, key: str, language: Language) -> PhraseFault:
        return PhraseFault(
            f"No text {key!r} in {language}", remedy=f"Add it to {self._folder / f'{language}.toml'}"
        )

    def _fill(self, place: Place, key: str, language: Language, facts: Mapping[str, object]) -> str:
        value = facts.get(place.name)
        if value is None:
            raise PhraseFault(f"{key!r} needs the fact {place.name!r}", remedy=f"Pass {place.name}= to say()")
        try:
            if place.kind == "money":
                return self._money(value, language, currency=str(facts.get("currency") or self._currency))
            return _KINDS[place.kind](self, place, value, language)
        except (ValueError, TypeError, ArithmeticError) as wrong:
            remedy = f"Pass a value that {place.kind!r} can show"
            shown = repr(value)[:_SHOWN_CHARS]
            raise PhraseFault(f"{key!r} cannot show {place.name}={shown}", remedy=remedy) from wrong

    def _load(self, language: Language) -> None:
        path = self._folder / f"{language}.toml"
        try:
            seen = path.stat()
        except FileNotFoundError as absent:
            raise PhraseFault(
                f"{path} is absent", remedy="Every text folder has ru.toml and en.toml"
            ) from absent
        templates, items = _read(path, language, (seen.st_ino, seen.st_mtime_ns, seen.st_size))
        more, more_items = _sorted(self._more.get(language, {}).items(), path, language)
        self._templates[language] = {**templates, **more}
        self._items[language] = {**items, **more_items}

    # How each kind of placeholder is shown. ---------------------------------------------------------------

    def _text(self, place: Place, value: object, language: Language) -> str:
        # A fact comes from outside: it must stay one line and cannot reorder or hide its neighbours.
        return _UNSEEN.sub(" ", str(value)).strip()

    def _number(self, place: Place, value: object, language: Language) -> str:
        return str(format_decimal(_decimal(value), locale=_LOCALES[language]))

    def _money(self, value: object, language: Language, *, currency: str) -> str:
        amount = _decimal(value)
        digits = "#,##0" if amount == amount.to_integral_value() else "#,##0.00"
        pattern = f"{digits}{NBSP}¤" if language == "ru" else f"¤¤{NBSP}{digits}"
        locale = _LOCALES[language]
        shown = _UNSEEN.sub(" ", currency).strip()[:_CURRENCY_CHARS]
        return str(format_currency(amount, shown, pattern, locale=locale, currency_digits=False))

    def _date(self, place: Place, value: object, language: Language) -> str:
        return str(format_date(self._day(value), "d MMMM", locale=_LOCALES[language])).replace(" ", NBSP)

    def _fulldate(self, place: Place, value: object, language: Language) -> str:
        return str(format_date(self._day(value), "d MMMM y", locale=_LOCALES[language])).replace(" ", NBSP)

    def _time(self, place: Place, value: object, language: Language) -> str:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return str(format_time(self.local(moment).time(), "HH:mm", locale=_LOCALES[language]))

    def _plural(self, place: Place, value: object, language: Language) -> str:
        return f"{self._number(place, value, language)}{NBSP}{self._word(place, value, language)}"

    def _word(self, place: Place, value: object, language: Language) -> str:
        category = _LOCALES[language].plural_form(_decimal(value))
        return place.forms[_FORMS[language][category]]

    def _list(self, place: Place, value: object, language: Language) -> str:
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise TypeError("a list placeholder takes several values")
        shown = [self._text(place, item, language) for item in value]
        return str(
            format_list(shown, style="standard", locale=Locale("en") if language == "en" else Locale("ru"))
        )

    def _day(self, value: object) -> date:
        if isinstance(value, str):
            value = (
                datetime.fromisoformat(value) if "T" in value or " " in value else date.fromisoformat(value)
            )
        if isinstance(value, datetime):
            return self.local(value).date()
        if isinstance(value, date):
            return value
        raise TypeError(f"{value!r} is no date")


_KINDS: Mapping[str, Callable[[Phrases, Place, object, Language], str]] = {
    "text": Phrases._text,
    "number": Phrases._number,
    "date": Phrases._date,
    "fulldate": Phrases._fulldate,
    "time": Phrases._time,
    "plural": Phrases._plural,
    "word": Phrases._word,
    "list": Phrases._list,
}


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise TypeError(f"{value!r} is no number")
    number = Decimal(str(value))
    if not number.is_finite():
        raise ValueError(f"{value!r} is not finite")
    return number


_Texts = tuple[Mapping[str, _Template], Mapping[str, tuple[str, ...]]]


@lru_cache(maxsize=128)
def _read(path: Path, language: Language, stamp: tuple[int, ...]) -> _Texts:
    """Return the texts of a file as it is at `stamp`: many rooms and houses of one process read the same ones."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        raise PhraseFault(f"{path}: {broken}", remedy="Mend the TOML at that line") from broken
    return _sorted(_flat(tables), path, language)


def _sorted(found: Iterable[tuple[str, object]], path: Path, language: Language) -> _Texts:
    templates: dict[str, _Template] = {}
    items: dict[str, tuple[str, ...]] = {}
    for key, value in found:
        if isinstance(value, str):
            templates[key] = _parse(value, f"{path}: {key}", language)
        elif isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            items[key] = tuple(value)
        else:
            raise PhraseFault(f"{path}: {key} is no text", remedy="Use strings and arrays of strings only")
    return templates, items


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterable[tuple[str, object]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(cast(Mapping[str, object], value), f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _parse(text: str, where: str, language: Language) -> _Template:
    parts: list[str | Place] = []
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        parts += [text[end : match.start()], _place(match, where, language)]
        end = match.end()
    parts.append(text[end:])
    if any(brace in part for part in parts if isinstance(part, str) for brace in "{}"):
        raise PhraseFault(f"{where}: a stray brace", remedy="Write placeholders as {name} or {name:kind}")
    return _Template(parts=tuple(part for part in parts if part != ""))


def _place(match: re.Match[str], where: str, language: Language) -> Place:
    kind = match["kind"] or "text"
    forms = tuple(form.strip() for form in (match["forms"] or "").split("|") if form.strip())
    if kind not in (*_KINDS, "money"):
        raise PhraseFault(f"{where}: unknown kind {kind!r}", remedy=f"Use one of {', '.join(_KINDS)}, money")
    wanted = 1 + max(_FORMS[language].values()) if kind in ("plural", "word") else 0
    if len(forms) != wanted:
        raise PhraseFault(
            f"{where}: {kind} has {len(forms)} forms", remedy=f"{language} needs {wanted}, split by |"
        )
    return Place(name=match["name"], kind=kind, forms=forms)
