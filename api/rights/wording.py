"""Rows of an export in a person's words: columns and codes by their labels, days and moments in the customer's form. Pure.

```
{"granted": true, "at": "2026-11-30T04:32:52Z", "channel": "widget"}
   └► Разрешено — да · Когда — 30 ноября 2026, 07:32 · Где — чат на сайте
```
A code or a name inside JSON that has no label stays as it is, with blanks for its underscores.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal

from tools.context import Language
from tools.phrases import Phrases

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_CODE = re.compile(r"[a-z][a-z0-9_.:-]{0,40}")
_MONEY = frozenset({"total", "delivery_price", "price", "amount", "balance", "difference"})
"""Columns of the embedded shop that hold hundredths of a currency."""
_FREE = frozenset(
    (
        "document",
        "passage",
        "name",
        "text",
        "login",
        "id",
        "line",
        "city",
        "quote",
        "title",
        "note",
        "query",
        "label",
    )
)
"""Where words are never a code, whatever they look like."""
NOTHING: tuple[Any, ...] = (None, "", [], {}, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One labelled value: words, or more entries, or a list of either."""

    label: str
    value: "Value"


Value = str | tuple["Entry | Value", ...]


class Wording:
    """Words of one language; moments become days in `timezone`, amounts are of the `currencies` of their orders."""

    def __init__(
        self, phrases: Phrases, *, language: Language, timezone: str, currencies: Mapping[str, str]
    ) -> None:
        self.phrases = phrases
        self.language = language
        self.locale = "ru" if language == "ru" else "en_GB"
        self.zone = ZoneInfo(timezone)
        self.currencies = currencies

    def say(self, key: str, **facts: object) -> str:
        """Return a text of the page."""
        return self.phrases.say(key, self.language, **facts)

    def moment(self, iso: str) -> str:
        """Return a moment as a day with its time."""
        local = datetime.fromisoformat(iso).astimezone(self.zone)
        return str(format_datetime(local, "d MMMM y, HH:mm", locale=self.locale))

    def entries(self, row: Mapping[str, Any], *, table: str = "") -> tuple[Entry, ...]:
        """Return what a row holds, each value under its label; what is empty is left out."""
        currency = self.currencies.get(str(row.get("order_id", row.get("id", ""))), "")
        found = []
        for name, value in row.items():
            if value in NOTHING:
                continue
            money = table.startswith("shop_") and name in _MONEY
            told = self._money(value, currency) if money else self.value(value, of=name)
            if told not in NOTHING:
                found.append(Entry(label=self.label(name, table=table), value=told))
        return tuple(found)

    def label(self, name: str, *, table: str = "") -> str:
        """Return what a column of a table, or a name inside JSON, is called."""
        return self._known(f"field.{table}", name) or self._known("field", name) or name.replace("_", " ")

    def value(self, value: Any, *, of: str = "") -> Value:
        """Return a value in words; `of` is the column it stands in."""
        if isinstance(value, bool):
            return self.say("page.yes" if value else "page.no")
        if isinstance(value, Mapping):
            return self.entries(value)
        if isinstance(value, Sequence) and not isinstance(value, str):
            told = tuple(self.value(each, of=of) for each in value if each not in NOTHING)
            words = [each for each in told if isinstance(each, str)]
            return ", ".join(words) if len(words) == len(told) else told
        if isinstance(value, int | float):
            return str(format_decimal(value, locale=self.locale, group_separator=False))
        return self._words(str(value), of=of)

    def _money(self, hundredths: int, currency: str) -> str:
        amount = Decimal(hundredths) / 100
        if currency:
            return str(format_currency(amount, currency, locale=self.locale))
        return str(format_decimal(amount, "#,##0.00", locale=self.locale))

    def _words(self, text: str, *, of: str) -> str:
        if _MOMENT.fullmatch(text):
            return self.moment(text)
        if _DAY.fullmatch(text):
            return str(format_date(date.fromisoformat(text), "d MMMM y", locale=self.locale))
        if of in _FREE or not _CODE.fullmatch(text):
            return text
        return self._known(f"coded.{of}", text) or self._known("value", text) or text

    def _known(self, kind: str, name: str) -> str:
        key = f"{kind}.{name}"
        return self.say(key) if self.phrases.has(key, self.language) else ""
