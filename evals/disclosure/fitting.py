"""Fitting the recogniser of "are you a robot?": what it is taught, the weights, and what it hears unseen.

```
public questions, half of them ──┐
taught.toml, slots filled ───────┼─► best sentence of each ─► logistic regression, few weights ─► frank_fit.json
messages about anything else ────┘         └───── three rounds ─────┘
```
A message that asks it does so in one of its sentences, and nobody wrote down in which: after each round the sentence
the weights find surest stands for the message. Of messages that do not ask every sentence counts.
"""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

from agent.policy.frank import WEIGHTS, Weights, features, heard, units
from knowledge.records import rows_of

TAUGHT = Path(__file__).with_name("taught.toml")
EACH = 25
"""How often a taught sentence is used, each time with other words in its slots."""
OTHERS = (
    "intents/clinc150.train",
    "intents/banking77.train",
    "intents/hint3.train",
    "intents/rutube_ru.open",
    "kb_ru/rutube.questions.open",
    "kb_ru/vkcloud_faq.questions.open",
    "kb_ru/xquad.questions.open",
    "kb_en/rhobank.questions.open",
    "kb_en/dstc11_hotel.questions.open",
)
"""Sets of what people ask about anything else."""
ROUNDS = 2
USUAL = 3
"""How many sentences a run of classes must occur in to weigh anything."""
LEAST = 0.08
"""Weights nearer to nothing are left out."""
STRENGTH = 0.5
"""Inverse of the penalty on weights."""
FOR = 2
"""How much more a missed question weighs than a line too many."""
ASKS, SURELY = 0.46, 0.8
"""Probabilities from which the line is due, and from which a sentence is that question and nothing else."""
SEED = 20261129
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Lesson:
    """A message and whether it asks what answers here."""

    text: str
    asks: bool


def taught(*, each: int = EACH, seed: int = SEED, path: Path = TAUGHT) -> Iterator[Lesson]:
    """Yield the taught sentences of both languages with their slots filled."""
    random = Random(seed)
    for language in tomllib.loads(path.read_text("utf-8")).values():
        for name in ("asks", "others"):
            for template in language[name]:
                made = {_filled(template, language["slots"], random) for _ in range(each)}
                yield from (Lesson(text, name == "asks") for text in sorted(made))


def _filled(template: str, slots: dict[str, list[str]], random: Random) -> str:
    return _SLOT.sub(lambda slot: random.choice(slots[slot[1]]), template)


def open_rows(folder: Path) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Return the public rows in two halves, by the hash of their ids: one to fit to, one to judge on."""
    rows = [row for _, row in rows_of(folder / "transparency" / "rua_robot.open.jsonl")]
    half = [int(sha256(str(row["id"]).encode()).hexdigest(), 16) % 2 for row in rows]
    return (
        [row for row, n in zip(rows, half, strict=True) if n == 0],
        [row for row, n in zip(rows, half, strict=True) if n == 1],
    )


def elsewhere(folder: Path, *, unseen: bool = False) -> Iterator[Lesson]:
    """Yield messages of other public sets, every tenth one; `unseen`: another tenth. One intent of one set asks it."""
    for name in OTHERS:
        for at, (_, row) in enumerate(rows_of(folder / f"{name}.jsonl")):
            text = str(row.get("text") or row.get("question") or row.get("scenario") or "")
            asks = row.get("label") == "are_you_a_bot"
            if text and (asks or at % 10 == unseen):
                yield Lesson(text, asks)


def lessons_of(rows: Iterable[Mapping[str, Any]]) -> Iterator[Lesson]:
    """Yield public rows as lessons; what their authors could not agree on teaches nothing."""
    for row in rows:
        if row["label"] != "ambiguous":
            yield Lesson(str(row["text"]), row["label"] == "asks_if_ai")


def school(folder: Path, *, whole: bool) -> list[Lesson]:
    """Return what is taught: half of the public rows, or with `whole` all of them, beside the rest."""
    half, other = open_rows(folder)
    rows = [*lessons_of(half), *(lessons_of(other) if whole else ())]
    return [*rows, *rows, *taught(), *elsewhere(folder)]


def judged(lessons: Sequence[Lesson], weights: Weights) -> dict[str, int]:
    """Return how many lessons ask and were missed, how many do not and were heard."""
    heard_of = [(one.asks, heard(one.text, weights=weights).asks) for one in lessons]
    return {
        "asks": sum(asks for asks, _ in heard_of),
        "missed": sum(asks and not found for asks, found in heard_of),
        "others": sum(not asks for asks, _ in heard_of),
        "too_many": sum(found and not asks for asks, found in heard_of),
    }


def fit(lessons: Sequence[Lesson], *, tell: Callable[[int, int], None] = lambda done, total: None) -> Weights:
    """Return weights fitted to the lessons."""
    read = [(list(units(one.text)), one.asks) for one in lessons]
    read = [(said, asks) for said, asks in read if said]
    weights: Weights | None = None
    for done in range(ROUNDS):
        rows: list[tuple[frozenset[str], bool]] = []
        for said, asks in read:
            if asks:
                best = said[0] if weights is None else max(said, key=weights.chance)
                whole = tuple(one for each in said[: (len(said) + 1) // 2] for one in each)
                rows.append((features(whole if weights is None else best), True))
            else:
                rows += [(features(one), False) for one in said]
        weights = _fitted(rows)
        tell(done + 1, ROUNDS)
    assert weights is not None
    return weights


def _fitted(rows: Sequence[tuple[frozenset[str], bool]]) -> Weights:
    sparse, linear = import_module("scipy.sparse"), import_module("sklearn.linear_model")
    unique = Counter(rows)
    seen = Counter(run for said, _ in unique for run in said)
    names = sorted(run for run, count in seen.items() if count >= USUAL)
    place = {run: n for n, run in enumerate(names)}
    pairs = [(n, place[run]) for n, (said, _) in enumerate(unique) for run in said if run in place]
    places = tuple(zip(*pairs, strict=True))
    table = sparse.csr_matrix(([1.0] * len(pairs), places), shape=(len(unique), len(names)))
    model = linear.LogisticRegression(C=STRENGTH, solver="lbfgs", max_iter=150)
    model.fit(
        table,
        [asks for _, asks in unique],
        sample_weight=[min(3, n) * (FOR if asks else 1) for (_, asks), n in unique.items()],
    )
    runs = {
        run: round(float(weight), 3)
        for run, weight in zip(names, model.coef_[0], strict=True)
        if abs(weight) >= LEAST
    }
    return Weights(bias=round(float(model.intercept_[0]), 3), runs=runs, asks=ASKS, surely=SURELY)


def write(weights: Weights, *, path: Path = WEIGHTS) -> None:
    """Write the weights, a run a line."""
    body = {
        "bias": weights.bias,
        "asks": weights.asks,
        "surely": weights.surely,
        "runs": dict(sorted(weights.runs.items())),
    }
    path.write_text(json.dumps(body, ensure_ascii=False, indent=0) + "\n", "utf-8")
