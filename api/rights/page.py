"""The export as a page that opens anywhere: one file, nothing fetched, nothing that runs, and no name of a column.

```
contents ─► profile · conversations · consents · notes · orders · who looked ─► records of the machinery, folded
```
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.rights.wording import Entry, Wording
from tools.context import Language
from tools.phrases import Phrases

FOLDER = Path(__file__).parent
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
"""The content policy it is served with: its own style and nothing else."""
GROUPS: Mapping[str, tuple[str, ...]] = {
    "profile": ("shop_customers", "shop_addresses", "shop_homes", "shop_saved"),
    "talks": ("conversations", "messages"),
    "consents": ("consents",),
    "notes": ("notes",),
    "orders": (
        *("shop_orders", "shop_items", "shop_payments", "shop_history", "shop_refunds", "shop_fulfilments"),
        *("shop_parcels", "shop_requests", "shop_events"),
    ),
    "access": ("audit", "restrictions", "corrections", "erasures", "consent_evidence"),
}
"""Sections for people, each with its tables; what no section names is a record of the machinery."""
TOLD_APART = frozenset({"conversations", "messages", "consents"})
"""Tables whose rows the page words itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One table of a section: what it is called, and its rows as labelled values."""

    name: str
    title: str
    rows: tuple[tuple[Entry, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One section: `count` is how many rows stand in it, `tables` those that are told row by row."""

    name: str
    title: str
    count: int
    tables: tuple[Listed, ...]


def page(export: Mapping[str, Any], *, language: Language, company: str, timezone: str) -> str:
    """Return what `exported` gave as HTML; moments are shown in `timezone`."""
    currencies = {str(order["id"]): str(order["currency"]) for order in export.get("shop_orders") or ()}
    words = Wording(_phrases(), language=language, timezone=timezone, currencies=currencies)
    return (
        _environment()
        .get_template("export.html")
        .render(
            language=language,
            company=company,
            say=words.say,
            moment=words.moment,
            valued=words.value,
            entries=words.entries,
            about=export["about"],
            conversations=export["conversations"],
            messages=export["messages"],
            consents=export["consents"],
            parts=tuple(_parts(export, words)),
        )
    )


def _parts(export: Mapping[str, Any], words: Wording) -> Iterator[Part]:
    named = {table for tables in GROUPS.values() for table in tables}
    rest = tuple(name for name in export if name != "about" and name not in named)
    for name, tables in (*GROUPS.items(), ("machinery", rest)):
        rows = {table: export.get(table) or () for table in tables}
        counted = (
            rows["conversations"] if name == "talks" else [row for each in rows.values() for row in each]
        )
        yield Part(
            name=name,
            title=words.say(f"part.{name}"),
            count=len(counted),
            tables=tuple(
                _listed(table, found, words)
                for table, found in rows.items()
                if found and table not in TOLD_APART
            ),
        )


def _listed(table: str, rows: Sequence[Mapping[str, Any]], words: Wording) -> Listed:
    told = tuple(words.entries(row, table=table) for row in rows)
    return Listed(name=table, title=words.say(f"table.{table}"), rows=told)


@cache
def _phrases() -> Phrases:
    return Phrases(FOLDER / "texts")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
