"""The words of `knowledge.text.dates` as patterns: read once from dates.toml and the locale data."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, Literal, cast

from babel.dates import get_month_names

_FILE = Path(__file__).with_name("dates.toml")
_FLAGS = re.IGNORECASE
_Role = Literal["from", "until", "through", "before", "only", "in"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Patterns by what they find; `months` and `days` turn words into numbers."""

    point: re.Pattern[str]
    lead: re.Pattern[str]
    join: re.Pattern[str]
    both: re.Pattern[str]
    and_: re.Pattern[str]
    half: re.Pattern[str]
    tail: re.Pattern[str]
    inclusive: re.Pattern[str]
    recurring: re.Pattern[str]
    phrase: re.Pattern[str]
    end_of: re.Pattern[str]
    months: Mapping[str, int]
    days: Mapping[str, int]
    roles: Mapping[str, _Role]
    joins: Mapping[str, _Role]
    meanings: Mapping[str, str]
    capital: frozenset[str]

    def role(self, word: str) -> _Role:
        """Return the role of the words before a date."""
        return self.roles[_folded(word)]

    def joining(self, word: str) -> _Role:
        """Return the role of what joins two dates."""
        return self.joins[_folded(word)]

    def day(self, word: str) -> int:
        """Return a day written in figures or in words."""
        return int(word) if word.isdecimal() else self.days[_folded(word)]

    def is_month(self, name: str) -> bool:
        """Say whether a word alone is a month: "may" is not, "May" is."""
        return name.casefold() not in self.capital or name[:1].isupper()

    def meaning(self, match: re.Match[str]) -> str:
        """Return what a turn of phrase means."""
        return next(self.meanings[name] for name, text in match.groupdict().items() if text is not None)


@cache
def words() -> Words:
    """Return the patterns."""
    data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    months, days = _months(data), {word: n for n, word in enumerate(data["days"]["words"], start=1)}
    some = data["words"]
    ordinal = f"(?:{_any(some['ordinal'])})?"
    year = rf"(?:\s*,?\s+(?:of\s+)?(?P<{{0}}>(?:19|20)\d\d)\b(?!\s*(?:{_units(some['units'])}))(?:\s*(?:{_any(some['year'])})(?!\w))?)?"
    whole = set(_named("wide")) | set(data["months"]["in"])
    # A full stop belongs to a short form only.
    month = rf"(?:{_any(whole)}|(?:{_any(set(months) - whole)})\.?)(?!\w)"
    return Words(
        point=_pattern(_point(month, days, ordinal, year, some)),
        lead=_pattern(rf"(?<![\w-])(?P<role>{_any(_flat(data['roles']))})(?:\s+the)?\s+$"),
        join=_pattern(rf"\s*(?P<join>{_any(_flat(data['joins']))})\s*(?:the\s+)?"),
        both=_pattern(rf"(?<!\w)(?:{_any(some['both'])})\s+$"),
        and_=_pattern(rf"\s+(?:{_any(some['and'])})\s+"),
        half=_pattern(
            rf"(?:(?<![\w-])(?:{_any(data['roles']['from'])}|{_any(some['both'])})\s+(?:the\s+)?)?(?<![\w.,:/-])"
            rf"(?P<day>\d{{1,2}}){ordinal}\s*(?:{_any(_flat(data['joins']))}|{_any(some['and'])})\s*(?:the\s+)?$"
        ),
        tail=_pattern(
            rf"\s*(?:{_any(_flat(data['joins']))})\s*(?P<day>\d{{1,2}}){ordinal}(?![\w:%/]|\.\d)"
            rf"(?!\s*(?:{_any(months)}|{_units(some['units'])}))" + year.format("year")
        ),
        inclusive=_pattern(rf"\s*,?\s*\(?(?:{_any(some['inclusive'])})(?!\w)\)?"),
        recurring=_pattern(rf"(?<!\w)(?:{_any(some['recurring'])})(?!\w)"),
        phrase=_pattern(_phrases(data)),
        end_of=_pattern(_end_of(month, some)),
        months=months,
        days=days,
        roles=_by_word(data["roles"]),
        joins=_by_word(data["joins"]),
        meanings={f"p{n}": row["means"] for n, row in enumerate(data["phrase"])},
        capital=frozenset(data["months"]["capital"]),
    )


def _point(month: str, days: Iterable[str], ordinal: str, year: str, some: Mapping[str, Any]) -> str:
    numbered = rf"(?P<day_a>\d{{1,2}}|{_any(days)}){ordinal}\s+(?:of\s+)?"
    return "|".join(
        (
            r"(?<![\d.-])(?P<iso>\d{4}-\d\d-\d\d)(?![\d-])",
            r"(?<![\d.])(?P<dots>\d{1,2}\.\d{1,2}\.(?:\d{4}|\d\d)|\d\d\.\d\d)(?!\.?\d)"
            rf"(?!\s*(?:{_units(some['units'])}))(?:\s*(?:{_any(some['year'])})(?!\w))?",
            r"(?<![\d/])(?P<slashes>\d{1,2}/\d{1,2}/(?:\d{4}|\d\d))(?![\d/])",
            rf"(?<![\w.,]){numbered}(?P<month_a>{month})" + year.format("year_a"),
            rf"(?<!\w)(?P<month_b>{month})\s+(?:the\s+)?(?P<day_b>\d{{1,2}}){ordinal}(?![\w:%])"
            rf"(?!\s*(?:{_units(some['units'])}))" + year.format("year_b"),
            rf"(?<!\w)(?P<month_c>{month})" + year.format("year_c"),
            rf"(?<![\w.,])(?P<years>20\d\d)\s*(?:{_any(some['year'])})(?!\w)",
            r"(?<=until )(?P<bare>20\d\d)(?=\s*(?:[.,;!?)]|$))",
        )
    )


def _end_of(month: str, some: Mapping[str, Any]) -> str:
    after = rf"(?:\s*(?:{_any(some['year'])})(?!\w))?"
    return (
        rf"(?<!\w)(?:{_any(some['end_of'])})\s+"
        rf"(?:(?P<month>{month})(?:\s+(?P<year>20\d\d){after})?|(?P<whole>20\d\d){after})"
    )


def _phrases(data: Mapping[str, Any]) -> str:
    groups = (f"(?P<p{n}>{'|'.join(row['patterns'])})" for n, row in enumerate(data["phrase"]))
    return rf"(?<!\w)(?:{'|'.join(groups)})(?!\w)".replace(" ", r"\s+")


def _months(data: Mapping[str, Any]) -> dict[str, int]:
    inside = {name: n for n, name in enumerate(data["months"]["in"], start=1)}
    short: dict[str, int] = data["months"]["short"]
    return _named("wide", "abbreviated") | inside | short


def _named(*widths: str) -> dict[str, int]:
    out: dict[str, int] = {}
    for locale, width, context in product(("ru", "en"), widths, ("format", "stand-alone")):
        names = get_month_names(cast(Any, width), context=cast(Any, context), locale=locale)
        out |= {str(name).casefold().rstrip("."): int(n) for n, name in names.items()}
    return out


def _by_word(table: Mapping[str, Sequence[str]]) -> dict[str, _Role]:
    return {word: cast(_Role, role) for role, names in table.items() for word in names}


def _flat(table: Mapping[str, Sequence[str]]) -> list[str]:
    return [word for names in table.values() for word in names]


def _any(names: Iterable[str]) -> str:
    """Return alternatives, the longest first, blanks of any kind."""
    ordered = sorted(names, key=len, reverse=True)
    return "|".join(re.escape(name).replace(r"\ ", r"\s+").replace("ё", "[её]") for name in ordered)


def _units(names: Sequence[str]) -> str:
    return "|".join(f"{re.escape(name)}(?!\\w)" if name[-1].isalpha() else re.escape(name) for name in names)


def _folded(word: str) -> str:
    return " ".join(word.casefold().split())


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, _FLAGS)
