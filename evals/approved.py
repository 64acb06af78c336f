"""The suite `approved` and `mayak eval approved`: which questions get the answer approved for another one.

Each question is put to all known questions of its language at once, as in a house; right is the one it was written
for, and nothing for a question that only looks like it. `--fit` chooses the thresholds on one half of the subjects.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from evals.measured import Figure, Findings, Miss, Setting, Tell

if TYPE_CHECKING:
    from agent.ports import Similarity
    from agent.sameness import Known, Limits

DATA = Path(__file__).with_name("same_questions.yaml")
GRID: dict[str, tuple[float, ...]] = {
    "extra": (0.0, 0.25, 0.3, 0.5, 0.6, 1.0, 1.3),
    "missing": (0.0, 0.25, 0.3, 0.5, 0.6, 1.0, 1.3),
    "close": (0.0, 0.3, 0.5, 0.7, 0.8, 0.9),
}
MOST_WRONG = 0.01
Half = Literal["fit", "judge"]
Ask = Callable[["Known", str, "Limits"], Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question as a customer puts it; `known` is the question it was written beside, `same` whether it is that one."""

    known: str
    text: str
    same: bool
    language: str
    half: Half

    @property
    def id(self) -> str:
        """Name it by what it is held against."""
        return f"{self.known} ← {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What came of the questions: answered rightly and wrongly, and how many should have been answered."""

    right: int
    wrong: tuple[Asked, ...]
    missed: tuple[Asked, ...]
    same: int
    other: int

    @property
    def precision(self) -> float:
        """Share of the answers given that were right; 1 where none was given."""
        given = self.right + len(self.wrong)
        return self.right / given if given else 1.0

    @property
    def recall(self) -> float:
        """Share of the questions that should be answered and were."""
        return self.right / self.same if self.same else 0.0


def approved(
    fit: Annotated[bool, typer.Option("--fit", help="Choose the thresholds on the fitting half.")] = False,
    pairs: Annotated[Path, typer.Option(help="Rows of {known, same, other, language, half}.")] = DATA,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure which questions get the answer approved for another one: precision, recall, hard negatives."""
    from agent.sameness import limits

    rows, similarity = read(pairs), _similarity()
    within = fitted(rows, similarity=similarity) if fit else limits()
    body = {
        "limits": asdict(within),
        **{
            half: _told(score([one for one in rows if one.half == half], rows, within, similarity=similarity))
            for half in ("fit", "judge")
        },
    }
    typer.echo(json.dumps(body, ensure_ascii=False, indent=None if as_json else 2))


def read(path: Path = DATA) -> list[Asked]:
    """Read the questions. Raises `BadRecords`."""
    import yaml

    from knowledge.errors import BadRecords

    out: list[Asked] = []
    for n, row in enumerate(yaml.safe_load(path.read_text("utf-8")), start=1):
        try:
            shared = {name: row[name] for name in ("known", "language", "half")}
            out += [
                Asked(text=text, same=kind == "same", **shared)
                for kind in ("same", "other")
                for text in row[kind]
            ]
        except (KeyError, TypeError) as fault:
            raise BadRecords(
                f"{path.name}: row {n} has no {fault}.", remedy="Give known, same, other, language and half."
            ) from fault
    return out


def score(
    asked: Sequence[Asked],
    among: Sequence[Asked],
    within: "Limits",
    *,
    similarity: "Similarity | None",
    like: Ask | None = None,
) -> Score:
    """Put each question to all known questions of its language."""
    shelves = {language: _shelf(among, language) for language in {one.language for one in asked}}
    right, wrong, missed = 0, [], []
    for one in asked:
        shelf = shelves[one.language]
        places = (
            like(shelf, one.text, within)
            if like
            else shelf.like(one.text, similarity=similarity, within=within)
        )
        found = {shelf.questions[n] for n in places}
        if found and (not one.same or found != {one.known}):
            wrong.append(one)
        elif found:
            right += 1
        elif one.same:
            missed.append(one)
    same = sum(one.same for one in asked)
    return Score(right=right, wrong=tuple(wrong), missed=tuple(missed), same=same, other=len(asked) - same)


def fitted(rows: Sequence[Asked], *, similarity: "Similarity | None") -> "Limits":
    """Return the thresholds with the most right answers and at most one in a hundred wrong on the fitting half.

    Of equals the strictest is taken.
    """
    from agent.sameness import Limits

    half = [one for one in rows if one.half == "fit"]
    loosest = Limits(extra=max(GRID["extra"]), missing=max(GRID["missing"]), close=0.0)
    near = {
        (one.text, known): seen
        for one in half
        for known, seen in _seen(_shelf(rows, one.language), one.text, loosest, similarity)
    }

    def like(shelf: "Known", text: str, within: "Limits") -> list[int]:
        found = [(n, near.get((text, known))) for n, known in enumerate(shelf.questions)]
        return [
            n
            for n, seen in found
            if seen and seen[0] <= within.extra and seen[1] <= within.missing and seen[2] >= within.close
        ]

    best, reached = replace(loosest, extra=0.0, missing=0.0, close=1.0), (-1, 0.0)
    for extra, missing, close in product(*GRID.values()):
        within = Limits(extra=extra, missing=missing, close=close)
        got = score(half, rows, within, similarity=None, like=like)
        if len(got.wrong) > MOST_WRONG * got.other:
            continue
        value = (got.right, close - extra - missing)
        if value > reached:
            best, reached = within, value
    return best


async def measure(setting: Setting, tell: Tell) -> Findings:
    """Measure the judging half, which no threshold was chosen on, and the fitting one beside it."""
    return await asyncio.to_thread(_measured, tell)


def _measured(tell: Tell) -> Findings:
    from agent.sameness import limits

    rows, similarity = read(), _similarity()
    figures: list[Figure] = []
    misses: list[Miss] = []
    for n, half in enumerate(("judge", "fit"), start=1):
        tell("Comparing questions", n, 2)
        found = score([one for one in rows if one.half == half], rows, limits(), similarity=similarity)
        ending = "" if half == "judge" else "_fit"
        given = found.right + len(found.wrong)
        figures += [
            Figure(
                name=f"precision{ending}",
                value=found.precision,
                of=given,
                interval=_share(found.right, given),
            ),
            Figure(
                name=f"recall{ending}",
                value=found.recall,
                of=found.same,
                interval=_share(found.right, found.same),
            ),
            Figure(
                name=f"wrong_matches{ending}",
                value=len(found.wrong) / found.other,
                of=found.other,
                interval=_share(len(found.wrong), found.other),
            ),
        ]
        misses += [
            Miss(id=one.id, wanted="its own answer or none", got="an answer to another question")
            for one in found.wrong
        ]
        misses += [Miss(id=one.id, wanted="the approved answer", got="the usual way") for one in found.missed]
    return Findings(figures=tuple(figures), misses=tuple(misses))


def _shelf(rows: Sequence[Asked], language: str) -> "Known":
    from agent.sameness import Known

    return Known(list(dict.fromkeys(one.known for one in rows if one.language == language)))


def _seen(
    shelf: "Known", text: str, loosest: "Limits", similarity: "Similarity | None"
) -> Iterator[tuple[str, tuple[float, float, float]]]:
    """Yield the known questions that come into question, with what is left over on each side and their closeness."""
    from agent.closeness import closeness
    from agent.sameness import difference

    for n in shelf.like(text, within=loosest):
        known = shelf.questions[n]
        apart = difference(text, known)
        near = closeness(text, [known], similarity=similarity) if similarity else []
        yield known, (apart.extra, apart.missing, near[0] if near else 1.0)


def _similarity() -> "Similarity":
    from agent.closeness import close_to
    from knowledge.embed.choose import embedder
    from knowledge.embed.remembered import Remembered

    return close_to(Remembered(embedder("use")))


def _share(count: int, of: int) -> tuple[float, float] | None:
    import numpy as np

    from evals.selective import share_interval

    marks = np.zeros(of, dtype=np.bool_)
    marks[:count] = True
    found = share_interval(marks)
    return (found[0], found[1]) if found else None


def _told(one: Score) -> dict[str, Any]:
    return {
        "precision": round(one.precision, 4),
        "recall": round(one.recall, 4),
        "wrong_matches": round(len(one.wrong) / one.other, 4) if one.other else None,
        "same": one.same,
        "other": one.other,
        "wrong": [asked.id for asked in one.wrong],
        "missed": [asked.id for asked in one.missed],
    }
