"""`mayak eval calibrate --answers` and the suite `calibration`: how sure the house is of its answers, fitted and judged.

```
labelled.yaml ─ half fit ───► the house, gate open ─► curve + judged cases ─► confidence.toml of the pack
              └ half judge ─► the house, gate open ─► ECE, risk and hand-overs under the promise
public sets ── four fifths ─► curve of a search ─► the last fifth: ECE, risk, coverage
```
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from agent.confidence import Calibration
from agent.pack import load_pack
from agent.promise import Case, Promise, threshold
from evals import figures
from evals.answers import LABELLED, Observed, digest, observe, read_labelled
from evals.figures import Bools, Floats
from evals.fitting import as_toml, fitted, judged, reliability, risk_coverage
from evals.isotonic import between, isotonic
from evals.logistic import fit, held_out
from evals.measured import Figure, Findings, Line, Plot, Setting, Tell
from evals.selective import RISKS, selective, share_interval

TOOLS = 0.97
"""Probability that an answer from tool results alone is right: what the golden cases show, with room for the unseen."""
PUBLIC: Mapping[str, tuple[str, str]] = {
    "xquad_ru_absent": ("kb_ru/xquad", "xquad_ru"),
    "xquad_en_absent": ("kb_en/xquad", "xquad_en"),
    "rutube_ru_absent": ("kb_ru/rutube", "rutube_ru"),
}
FOLDS = 5
NEVER = 2.0


async def calibrated(context: Any, *, out: Path, tell: Tell) -> dict[str, Any]:
    """Fit the confidence of answers on the pack's labelled questions, write it, and hold it against the other half."""
    pack = load_pack(context.settings().company)
    observed = await _observed(context, pack.folder, tell=tell)
    found = fitted(
        [one for one in observed if one.asked.half == "fit"],
        tools=TOOLS,
        sha256=digest(pack.folder),
        source=LABELLED,
        on=datetime.now(UTC).date(),
    )
    out.write_text(as_toml(found), "utf-8")
    return _report(found, observed, pack.promise)


async def measure(setting: Setting, tell: Tell) -> Findings:
    """Measure the confidence of searches on public sets, and of answers on the pack's judging half."""
    found: list[Figure] = []
    plots: list[Plot] = []
    left_out: list[str] = []
    for name in PUBLIC:
        rows = await asyncio.to_thread(_searched, setting.evaldata, name, tell)
        if rows is None:
            left_out.append(f"{name}: not in the folder of public sets")
            continue
        own, curve = _of_search(name, *rows)
        found += own
        plots.append(curve)
    figures_, plots_ = await _of_answers(setting.context, tell)
    return Findings(figures=(*found, *figures_), plots=(*plots, *plots_), left_out=tuple(left_out))


def _searched(evaldata: Path | None, name: str, tell: Tell) -> tuple[Floats, Bools, Bools] | None:
    """Return signals, right and answerable of a public set; None where it is not there."""
    from evals.calibrate import observe as observe_search
    from evals.retrieval import Settings
    from knowledge.rank.confidence import SIGNALS

    folder, stem = PUBLIC[name]
    if evaldata is None or not (evaldata / "oos" / f"{name}.open.jsonl").exists():
        return None
    seen = observe_search(
        Settings(
            passages=evaldata / f"{folder}.passages.jsonl",
            questions=evaldata / "oos" / f"{name}.open.jsonl",
            index_ids=evaldata / "oos" / f"{stem}.index_ids.jsonl",
        ),
        bar=lambda title: lambda done, total: tell(f"{name}: {title}", done, total),
    )
    signals = np.array([[one.get(signal, 0.0) for signal in SIGNALS] for one in seen.signals])
    return signals, np.array(seen.right), np.array(seen.answerable)


def _of_search(name: str, rows: Floats, right: Bools, answerable: Bools) -> tuple[list[Figure], Plot]:
    """Fit to four fifths and judge the last, five times over."""
    parts = np.random.default_rng(0).permutation(len(rows)) % FOLDS
    guess, sent = np.zeros(len(rows)), np.zeros(len(rows), dtype=np.bool_)
    for part in range(FOLDS):
        own, rest = parts == part, parts != part
        share = np.ones(int(rest.sum()))
        unseen = held_out(rows[rest], right[rest], share=share)
        knots = isotonic(unseen, right[rest])
        cases = [
            Case(confidence=float(p), right=bool(ok))
            for p, ok in zip(between(knots, unseen), right[rest], strict=True)
        ]
        accept = threshold(cases, Promise(at_most_wrong=0.05, confidence=0.9))
        curve = fit(rows[rest], right[rest], share=share)
        guess[own] = between(knots, curve.probability(rows[own]))
        sent[own] = guess[own] >= (NEVER if accept is None else accept)
    told = selective(guess, wrong=~right, positive=answerable)
    intervals = told["intervals"]
    own_figures = [
        Figure(name=f"{name}.ece", value=figures.ece(guess, right), of=len(rows)),
        _share(f"{name}.risk", ~right[sent]),
        _share(f"{name}.coverage_of_answerable", sent[answerable]),
        *(
            Figure(name=f"{name}.{key}", value=told[key], of=len(rows), interval=_pair(intervals.get(key)))
            for key in ("auroc", "aurc", *(f"coverage@{risk:.0%}risk" for risk in RISKS))
            if told[key] is not None
        ),
    ]
    return own_figures, _curves(name, guess, right)


async def _of_answers(context: Any, tell: Tell) -> tuple[list[Figure], list[Plot]]:
    from agent.confidence import calibration_of

    pack = load_pack(context.settings().company)
    if not (pack.folder / LABELLED).exists():
        return [], []
    observed = await _observed(context, pack.folder, tell=tell, half="judge")
    now = calibration_of(pack.folder, by_hand=pack.thresholds.answer)
    report = judged(now, observed, promise=pack.promise)
    name = "answers"
    return [
        Figure(name=f"{name}.ece", value=report.ece, of=report.answers),
        Figure(name=f"{name}.auroc", value=report.auroc or 0.0, of=report.answers),
        Figure(name=f"{name}.aurc", value=report.aurc, of=report.answers),
        Figure(name=f"{name}.risk", value=report.risk, of=report.sent),
        Figure(
            name=f"{name}.handed_over", value=report.handed_over / report.answerable, of=report.answerable
        ),
    ], [_curves(name, report.scores, report.right)]


async def _observed(context: Any, folder: Path, *, tell: Tell, half: str = "") -> list[Observed]:
    questions = [one for one in read_labelled(folder) if half in ("", one.half)]
    async with context.house() as house, house.sandbox({"gate": "open"}) as sandbox:
        return await observe(sandbox, questions, tell=lambda done, total: tell("Asking", done, total))


def _report(found: Calibration, observed: Sequence[Observed], promise: Promise) -> dict[str, Any]:
    other = [one for one in observed if one.asked.half == "judge"]
    shown = judged(found, other, promise=promise)
    accept = found.accept(promise)
    return {
        "fitted": asdict(found.fitted),
        "weights": dict(found.weights),
        "accept": accept if accept < NEVER else None,
        "judged": {
            "answers": shown.answers,
            "answerable": shown.answerable,
            "sent": shown.sent,
            "wrong": shown.wrong,
            "handed_over": shown.handed_over,
            "ece": round(shown.ece, 4),
            "auroc": None if shown.auroc is None else round(shown.auroc, 4),
            "aurc": round(shown.aurc, 4),
        },
    }


def _share(name: str, marks: Bools) -> Figure:
    value = float(marks.mean()) if len(marks) else 0.0
    return Figure(name=name, value=value, of=len(marks), interval=_pair(share_interval(marks)))


def _pair(values: Sequence[float] | None) -> tuple[float, float] | None:
    return (values[0], values[1]) if values else None


def _curves(name: str, scores: Floats, right: Bools) -> Plot:
    return Plot(
        title=f"{name}: reliability, and risk by coverage",
        x="confidence · coverage",
        y="share right · risk",
        lines=(
            Line(name="reliability", points=tuple(reliability(scores, right))),
            Line(name="risk by coverage", points=tuple(risk_coverage(scores, right))),
        ),
        diagonal=True,
    )
