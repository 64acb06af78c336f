"""Numbers, prices, dates, times, phones and codes of a text, in a form in which they can be compared.

```
«4 290 руб.» = «RUB 4,290» = 4290 rub         «до 24 ноября» = "until Nov 24" = date 24.11, at most
«две недели» = "2 weeks" = «14 дней»          «1045-А» = "1045-A" whichever alphabet the letter is of
```
Two quantities agree when their kind and value are the same and neither unit nor bound speaks against it.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

DATA = Path(__file__).with_name("quantities.toml")

Kind = Literal["number", "date", "month", "day", "time", "rate", "phone", "code"]
Bound = Literal["", "at_most", "at_least"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """One number-like thing. `value` is canonical text, `unit` a key of `[units]` or empty.

    `start` and `end` are where it stands in the text; `spelled` when the number was a word.
    """

    kind: Kind
    value: str
    unit: str = ""
    bound: Bound = ""
    start: int = 0
    end: int = 0
    spelled: bool = False


def agree(said: Quantity, given: Quantity) -> bool:
    """Whether `said` may be stated where `given` stands in the evidence."""
    if said.bound and given.bound and said.bound != given.bound:
        return False
    if said.kind == given.kind == "date":
        return _same_day(said.value, given.value)
    if {said.kind, given.kind} == {"date", "month"}:
        return said.kind == "month" and given.value.split("-")[1] == said.value
    if {said.kind, given.kind} == {"date", "number"}:
        return _same_year(said, given)
    if {said.kind, given.kind} == {"time", "number"}:
        return _same_hour(said, given)
    if {said.kind, given.kind} == {"number", "code"}:
        return said.value == given.value
    if said.kind != given.kind:
        return False
    if said.value != given.value:
        return _same_span(said, given)
    return not said.unit or not given.unit or said.unit == given.unit


@lru_cache(maxsize=8192)
def words_masked(text: str) -> str:
    """Return the text with every quantity blanked out: what is left are words."""
    left = text
    for quantity in quantities(text):
        blank = " " * (quantity.end - quantity.start)
        left = left[: quantity.start] + blank + left[quantity.end :]
    return left


@lru_cache(maxsize=4096)
def quantities(text: str) -> tuple[Quantity, ...]:
    """Return everything number-like in the text, in order of place."""
    found: list[Quantity] = []
    left = text.lower().replace("ё", "е")
    if len(left) != len(text):
        left = text
    for reader in READERS:
        for quantity in reader(left):
            found.append(quantity)
            left = left[: quantity.start] + "\x00" * (quantity.end - quantity.start) + left[quantity.end :]
    found.sort(key=lambda quantity: quantity.start)
    return tuple(_bounded(_with_range_units(found, text.lower()), text.lower().replace("ё", "е")))


# Readers, from the most particular to the least: what one has read the next ones do not see. ----------------

_GAP = r"[\s\u00a0\u202f]"
_PHONE = re.compile(r"(?<![\w.])\+?\d(?:[\s\u00a0()‑–-]{0,2}\d){9,12}(?![\w])")
_ISO = re.compile(r"\b(\d{4})-(\d\d)-(\d\d)\b")
_DOTTED = re.compile(r"(?<![\d.,])(\d{1,2})\.(\d{1,2})(?:\.(\d{4}|\d\d))?(?![\d%]|\.\d)")
_CLOCK = re.compile(
    rf"(?<![\d:])(\d{{1,2}})(?::(\d\d))?{_GAP}*([ap])\.?m\b\.?|(?<![\d:])(\d{{1,2}}):(\d\d)(?![\d:])"
)
_CODE = re.compile(r"(?<![\w-])(?:(?=[\w-]*\d)(?=[\w-]*[^\W\d_])[^\W_]+(?:-[^\W_]+)*(?!\w)|[^\W\d_]+\+)")
_SUFFIXED = re.compile(r"(\d+)-?([^\W\d_]+)")
_NUMBER = re.compile(
    r"(?<![\w,.\x00])([−-](?=\d))?(\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)|\d{1,3}(?:,\d{3})+(?!\d)|\d+)([.,]\d+)?(?!\w)"
)
_NEXT_WORD = re.compile(rf"{_GAP}*([^\W\d_]+)")
_LETTERS = re.compile(r"[^\W\d_]+")
_LOOKALIKE = str.maketrans("авекмнорстху", "abekmhopctxy")
_ORDINAL = frozenset(["й", "я", "е", "го", "му", "м", "ми", "х", "ю", "ой", "ый", "st", "nd", "rd", "th"])


def _phones(text: str) -> Iterator[Quantity]:
    for match in _PHONE.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        if 10 <= len(digits) <= 13 and not _ISO.search(match.group()):
            yield _at(match, "phone", digits[-10:])


def _dates(text: str) -> Iterator[Quantity]:
    for match in _ISO.finditer(text):
        yield _at(match, "date", _day(match[3], match[2], match[1]))
    for match in _worded_date().finditer(text):
        day, month = (match["d1"], match["m1"]) if match["d1"] else (match["d2"], match["m2"])
        if 1 <= int(day) <= 31:
            yield _at(match, "date", _day(day, _key("months", month), match["y1"] or match["y2"] or ""))
    for match in _DOTTED.finditer(text):
        if 1 <= int(match[1]) <= 31 and 1 <= int(match[2]) <= 12 and (match[3] or len(match[2]) == 2):
            yield _at(match, "date", _day(match[1], match[2], match[3] or ""))


def _times(text: str) -> Iterator[Quantity]:
    for match in _CLOCK.finditer(text):
        hour, minute = int(match[1] or match[4]), int(match[2] or match[5] or 0)
        if match[3]:
            hour = hour % 12 + (12 if match[3] == "p" else 0)
        if hour <= 24 and minute < 60:
            yield _at(match, "time", f"{hour}:{minute:02}")


def _codes(text: str) -> Iterator[Quantity]:
    """Tokens of letters and digits, unless the letters are a unit («20кг», "14-day") or an ending («5-й»)."""
    for match in _CODE.finditer(text):
        token = match.group()
        suffixed = _SUFFIXED.fullmatch(token)
        if suffixed and (_unit(suffixed[2]) or suffixed[2] in _ORDINAL or len(suffixed[2]) > 4):
            yield _at(match, "number", suffixed[1], unit=_unit(suffixed[2]))
        else:
            yield _at(match, "code", re.sub(r"[-_]", "", token.translate(_LOOKALIKE)))


def _numbers(text: str) -> Iterator[Quantity]:
    for match in _NUMBER.finditer(text):
        whole = re.sub(r"\D", "", match[2])
        fraction = (match[3] or "")[1:].rstrip("0")
        value, end = _scaled(f"{whole}.{fraction}" if fraction else whole, text, match.end())
        unit, end = _unit_after(text, end)
        unit = unit or _currency_before(text, match.start())
        sign = "-" if match[1] and unit == "degree" else ""
        yield Quantity(
            kind="number",
            value=sign + _plain(value),
            unit=unit,
            start=match.start(),
            end=max(end, match.end()),
        )


def _spelled(text: str) -> Iterator[Quantity]:
    for match in _LETTERS.finditer(text):
        word = match.group()
        value = _words().get(word)
        if value is not None:
            scaled, end = _scaled(value, text, match.end())
            unit, end = _unit_after(text, end)
            yield Quantity(
                kind="number", value=_plain(scaled), unit=unit, start=match.start(), end=end, spelled=True
            )
        elif compound := _compound(word):
            yield _at(match, "number", compound[0], unit=compound[1], spelled=True)


def _named(text: str) -> Iterator[Quantity]:
    for match in _LETTERS.finditer(text):
        word = match.group()
        if day := _key("days", word):
            yield _at(match, "day", day)
        elif len(word) > 4 and (month := _key("months", word)):
            yield _at(match, "month", month)


def _rates(text: str) -> Iterator[Quantity]:
    """«в месяц», "a year": how often a price is paid."""
    for match in _rate().finditer(text):
        yield _at(match, "rate", _unit(match["unit"]))
    for match in _LETTERS.finditer(text):
        if unit := _key("rates", match.group()):
            yield _at(match, "rate", unit)


READERS = (_phones, _dates, _times, _codes, _numbers, _spelled, _named, _rates)


# Units, bounds and ranges. ----------------------------------------------------------------------------------


def _unit_after(text: str, end: int) -> tuple[str, int]:
    """Return the unit that follows and where it ends; ("", end) without one."""
    match = _after().match(text, end)
    if match is None:
        return "", end
    unit = _unit(match["unit"])
    return (unit, match.end()) if unit else ("", end)


def _currency_before(text: str, start: int) -> str:
    before = re.search(r"([₽$€₸]|\b(?:rub|usd|eur|kzt))[\s\u00a0]?$", text[:start])
    return _unit(before[1]) if before else ""


def _with_range_units(found: list[Quantity], text: str) -> list[Quantity]:
    """«3–5 дней»: the first number has the unit of the second."""
    for n in range(len(found) - 2, -1, -1):
        one, next_ = found[n], found[n + 1]
        between = text[one.end : next_.start].strip()
        if not one.kind == next_.kind == "number" or between not in _RANGE:
            continue
        if not one.unit:
            found[n] = replace(one, unit=next_.unit)
        elif one.unit in _CURRENCIES and not next_.unit:
            # «RUB 120 to 490»: the currency stands before both.
            found[n + 1] = replace(next_, unit=one.unit)
    return found


_CURRENCIES = frozenset({"rub", "usd", "eur", "kzt", "byn"})
_RANGE = frozenset({"–", "—", "-", "‑", "…", "до", "по", "to", "или", "or", "и", "and", "-ти", "/"})


def _bounded(found: Iterable[Quantity], text: str) -> Iterator[Quantity]:
    for quantity in found:
        before = _before().search(text[max(0, quantity.start - 32) : quantity.start])
        bound: Bound = ("at_most" if before["most"] else "at_least") if before else ""
        yield replace(quantity, bound=bound)


def _scaled(value: str, text: str, end: int) -> tuple[str, int]:
    match = _NEXT_WORD.match(text, end)
    scale = _scales().get(match[1]) if match else None
    if match is None or scale is None:
        return value, end
    return str(float(value) * int(scale)), match.end()


_SPANS: tuple[Mapping[str, float], ...] = (
    {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800},
    {"month": 1, "year": 12},
)
"""What units of time are worth in one another; a month has no fixed length in days."""

# Comparing. -------------------------------------------------------------------------------------------------


def _same_day(one: str, other: str) -> bool:
    (year, *day), (other_year, *other_day) = one.split("-"), other.split("-")
    return day == other_day and ("" in (year, other_year) or year == other_year)


def _same_year(one: Quantity, other: Quantity) -> bool:
    """Whether a bare year is the year of a date."""
    date, number = (one, other) if one.kind == "date" else (other, one)
    return number.unit == "year" and date.value.split("-")[0] == number.value


def _same_span(one: Quantity, other: Quantity) -> bool:
    """Whether two lengths of time in different units are one: a week and 7 days, half a year and 6 months."""
    for units in _SPANS:
        if one.unit in units and other.unit in units:
            return float(one.value) * units[one.unit] == float(other.value) * units[other.unit]
    return False


def _same_hour(one: Quantity, other: Quantity) -> bool:
    time, number = (one, other) if one.kind == "time" else (other, one)
    return number.unit in ("", "hour") and time.value == f"{number.value}:00"


def _day(day: str, month: str, year: str) -> str:
    full = f"20{year}" if len(year) == 2 else year
    return f"{full}-{int(month)}-{int(day)}"


def _plain(value: str) -> str:
    number = float(value)
    return str(int(number)) if number.is_integer() else str(number)


def _at(match: re.Match[str], kind: Kind, value: str, *, unit: str = "", spelled: bool = False) -> Quantity:
    return Quantity(kind=kind, value=value, unit=unit, start=match.start(), end=match.end(), spelled=spelled)


# The data, compiled once. -----------------------------------------------------------------------------------


@cache
def _data() -> Mapping[str, Mapping[str, list[str]]]:
    return tomllib.loads(DATA.read_text("utf-8"))


@lru_cache(maxsize=8192)
def _key(table: str, word: str) -> str:
    """Return the key whose patterns match the whole word; empty without one."""
    return next((key for key, pattern in _patterns(table) if pattern.fullmatch(word)), "")


def _unit(word: str) -> str:
    return _key("units", word)


@cache
def _patterns(table: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((key, re.compile("|".join(forms))) for key, forms in _data()[table].items())


@cache
def _words() -> Mapping[str, str]:
    return {form: value for value, forms in _data()["words"].items() for form in forms}


@cache
def _scales() -> Mapping[str, str]:
    return {form: value for value, forms in _data()["scales"].items() for form in forms}


@lru_cache(maxsize=8192)
def _compound(word: str) -> tuple[str, str] | None:
    """Read «двухлетний» as 2 years."""
    for value, forms in _data()["prefixes"].items():
        for form in forms:
            if word.startswith(form) and (unit := _unit(word[len(form) :])):
                return value, unit
    return None


@cache
def _after() -> re.Pattern[str]:
    skipped = "|".join(_data()["skipped"]["words"])
    return re.compile(rf"{_GAP}*-?(?:(?:{skipped})\.?{_GAP}+)?(?P<unit>°c|[%₽$€₸°]|[^\W\d_]+)")


@cache
def _before() -> re.Pattern[str]:
    def side(name: str) -> str:
        return "|".join(sorted(_data()["bounds"][name], key=len, reverse=True))

    # «не более» is tried before «более»: the longer form stands first, and one of them must touch the number.
    most, least = side("at_most"), side("at_least")
    negated = r"(?<!не )(?<!no )(?<!not )"
    return re.compile(
        rf"(?:(?<!\w)(?P<most>{most})|(?<!\w){negated}(?P<least>{least}))(?:{_GAP}+(?:чем|the|на|rub|about|около))?{_GAP}*[$€₽]?$"
    )


@cache
def _rate() -> re.Pattern[str]:
    spans = "|".join(
        form for unit in ("hour", "day", "week", "month", "year") for form in _data()["units"][unit]
    )
    return re.compile(
        rf"(?<!\w)(?<!in )(?<!for )(?<!within )(?<!after )(?:в|per|an?|every|кажд\w+|/){_GAP}?(?P<unit>{spans})(?!\w)(?!{_GAP}+[а-я])"
    )


@cache
def _worded_date() -> re.Pattern[str]:
    months = "|".join(form for forms in _data()["months"].values() for form in forms)
    y1, y2 = (rf"(?:,?{_GAP}+(?P<{name}>\d{{4}})(?!\d))?" for name in ("y1", "y2"))
    ru = rf"(?<![\d.])(?P<d1>\d{{1,2}})(?:st|nd|rd|th|-го|-е)?{_GAP}+(?:of{_GAP}+)?(?P<m1>{months})(?!\w)\.?{y1}"
    en = rf"(?<!\w)(?P<m2>{months})\.?{_GAP}+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:]){y2}"
    return re.compile(f"{ru}|{en}")
