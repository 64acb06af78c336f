"""Suite `grounding` and `mayak eval grounding`: which sentences the house lets out, over labelled pairs.

```
pairs ─► agent.grounding.verify, as in a turn, with the encoder of a turn ─► verdicts ─► figures
```
`f1` is of "supported" against all else; `contradicted_passed` the share of sentences that say otherwise and left.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from evals.retrieval import bars, faults

if TYPE_CHECKING:
    from agent.grounding import Verdict
    from agent.ports import Similarity
    from evals.grounding_pairs import Kind, Pair
    from evals.measured import Figure, Findings, Setting, Tell

ENCODER = "use"
"""The encoder a turn compares sentences with, in a house as it is installed."""
_CONTRADICTED = frozenset({"number", "negation", "name", "condition"})
Word = Literal["supported", "contradicted", "unsupported"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One pair and what the verifier said of it, in how many milliseconds."""

    pair: "Pair"
    verdict: "Verdict"
    ms: float


def grounding(
    pairs: Annotated[
        Path | None, typer.Option(help="Lines of {id, evidence, sentence, title?, language?, label?}.")
    ] = None,
    embedder: Annotated[str, typer.Option(help="Encoder of sentences; - for none.")] = ENCODER,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print {id, verdict, score, reason}, a line a pair.")
    ] = False,
    fit: Annotated[
        bool, typer.Option("--fit", help="Fit the judge to the project's own tuned pairs and write it.")
    ] = False,
    evaldata: Annotated[
        Path | None, typer.Option(help="Folder of public sets, whose pairs are left out without it.")
    ] = None,
) -> None:
    """Judge sentences from a file, or fit the judge of sentences. With labels, figures follow: on the error stream beside --json.

    Labels: supported, contradicted, unsupported, number, negation, other_subject. Verdicts: supported (may leave),
    contradicted, unsupported. The score is 0..1, from 0.5 exactly where the verdict is supported.
    """
    from evals.grounding_pairs import labelled, read_pairs

    if fit:
        _fit(evaldata, as_json=as_json)
        return
    if pairs is None:
        raise typer.BadParameter("Give --pairs FILE, or --fit.")
    with faults(as_json=as_json), bars(quiet=as_json) as bar:
        rows = judged(read_pairs(pairs), similarity=_similarity(embedder), tell=bar("Judging"))
    figures = [one for one in rows if one.pair in labelled([one.pair])]
    for one in rows if as_json else ():
        typer.echo(json.dumps(as_row(one), ensure_ascii=False))
    if figures:
        told = {figure.name: round(figure.value, 4) for figure in measures(figures)}
        typer.echo(json.dumps(told, indent=None if as_json else 2), err=as_json)
    if not as_json:
        typer.echo(f"{len(rows)} pairs, {sum(one.verdict.ok for one in rows)} may leave")


def _fit(evaldata: Path | None, *, as_json: bool) -> None:
    from agent.closeness import close_to
    from agent.weighing import DATA
    from evals.grounding_fit import fitted, table_of, written
    from evals.grounding_pairs import to_fit
    from knowledge.embed.choose import embedder
    from knowledge.embed.remembered import Remembered

    encoder = close_to(Remembered(embedder(ENCODER)))
    with faults(as_json=as_json), bars(quiet=as_json) as bar:
        pairs = to_fit(evaldata=evaldata)
        table = table_of(pairs.rows, encoder=encoder, tell=bar("Reading"))
        found = fitted(table, encoder=encoder.name)
    DATA.write_text(written(found.known), "utf-8")
    told = {
        "pairs": len(pairs.rows),
        "left_out": list(pairs.left_out),
        "thresholds": found.known["thresholds"],
        "f1_unseen": round(found.choice.f1, 4),
        "contradicted_passed_unseen": round(found.choice.passed, 4),
        "supported_kept_unseen": round(found.choice.kept, 4),
    }
    typer.echo(json.dumps(told, indent=None if as_json else 2))


async def measure(setting: "Setting", tell: "Tell") -> "Findings":
    """Measure the project's own set: what the judge was fitted to, and what it was not."""
    from evals.grounding_pairs import HALVES, read_half
    from evals.measured import Findings

    read = [read_half(half, evaldata=setting.evaldata) for half in HALVES]
    pairs = [pair for half in read for pair in half.rows]
    rows = judged(
        pairs, similarity=_similarity(ENCODER), tell=lambda done, total: tell("Judging", done, total)
    )
    return Findings(
        figures=tuple(measures(rows)),
        misses=tuple(_misses(rows)),
        left_out=tuple(name for half in read for name in half.left_out),
    )


def judged(pairs: "Sequence[Pair]", *, similarity: "Similarity | None", tell: Any) -> list[Judged]:
    """Return what the verifier says of each sentence, its evidence being all there is."""
    from agent.domain import Evidence, Sentence
    from agent.grounding import verify, warm

    warm()
    out = []
    for n, pair in enumerate(pairs, start=1):
        item = Evidence(ref="e#1", kind="passage", title=pair.title, text=pair.evidence, document="e")
        began = time.perf_counter()
        verdict = verify(Sentence(text=pair.sentence, refs=("e#1",)), {"e#1": item}, similarity=similarity)
        out.append(Judged(pair=pair, verdict=verdict, ms=1000 * (time.perf_counter() - began)))
        tell(n, len(pairs))
    return out


def measures(rows: Sequence[Judged]) -> "list[Figure]":
    """Return the figures of labelled rows: over all, the held-out and the blind pairs, each language, and each kind."""
    from evals.grounding_pairs import KINDS

    halves = {f"_{half}": [one for one in rows if one.pair.half == half] for half in ("held", "blind")}
    languages = {f"_{name}": [one for one in rows if one.pair.language == name] for name in ("ru", "en")}
    held = {
        f"_{half}{name}": [one for one in part if one.pair.half == half]
        for half in ("held", "blind")
        for name, part in languages.items()
    }
    out: list[Figure] = []
    for name, part in ({"": list(rows)} | halves | languages | held).items():
        if part:
            out += _figures(part, name)
    for kind in KINDS:
        for name, part in ({"": list(rows)} | halves).items():
            out += _passed(part, {kind}, f"passed_{kind}{name}")
    times = sorted(one.ms for one in rows)
    return [*out, *_times(times)]


def as_row(one: Judged) -> dict[str, Any]:
    """Return one verdict as JSON types."""
    return {
        "id": one.pair.id,
        "verdict": word(one.verdict),
        "score": round(support(one.verdict), 4),
        "reason": one.verdict.reason,
    }


def word(verdict: "Verdict") -> Word:
    """Return the verdict in one word of three."""
    if verdict.ok:
        return "supported"
    return "contradicted" if verdict.reason in _CONTRADICTED else "unsupported"


def support(verdict: "Verdict") -> float:
    """Return how far the evidence carries the sentence, 0..1, from 0.5 where it may leave."""
    if verdict.ok:
        return 0.5 + verdict.score / 2
    return min(0.4999, verdict.score / (4 if word(verdict) == "contradicted" else 2))


def _figures(rows: Sequence[Judged], name: str) -> "list[Figure]":
    from evals.grounding_pairs import AGAINST
    from evals.measured import Figure

    wanted = [one.pair.kind == "supported" for one in rows]
    right = sum(one.verdict.ok and good for one, good in zip(rows, wanted, strict=True))
    left = sum(one.verdict.ok for one in rows)
    f1 = 2 * right / max(1, left + sum(wanted))
    return [
        Figure(name=f"f1{name}", value=f1, of=len(rows)),
        *_passed(rows, AGAINST, f"contradicted_passed{name}"),
    ]


def _passed(rows: Sequence[Judged], kinds: "frozenset[Kind] | set[Kind]", name: str) -> "list[Figure]":
    import numpy as np

    from evals.measured import Figure
    from evals.selective import share_interval

    passed = np.array([one.verdict.ok for one in rows if one.pair.kind in kinds], dtype=np.bool_)
    if not len(passed):
        return []
    low, high = share_interval(passed)
    return [Figure(name=name, value=float(passed.mean()), of=len(passed), interval=(low, high))]


def _times(times: Sequence[float]) -> "list[Figure]":
    from evals.measured import Figure

    places = {"ms_p50": 0.5, "ms_p95": 0.95}
    return [
        Figure(name=name, value=times[min(len(times) - 1, int(share * len(times)))], of=len(times))
        for name, share in places.items()
        if times
    ]


def _misses(rows: Sequence[Judged]) -> "Sequence[Any]":
    from evals.measured import Miss

    return [
        Miss(
            id=f"{one.pair.half}:{one.pair.id}",
            wanted="leaves" if one.pair.kind == "supported" else "stays",
            got=one.verdict.reason,
            about=one.pair.sentence,
        )
        for one in rows
        if one.verdict.ok != (one.pair.kind == "supported")
    ]


def _similarity(spec: str) -> "Similarity | None":
    from agent.closeness import close_to
    from knowledge.embed.choose import embedder
    from knowledge.embed.remembered import Remembered

    return None if spec == "-" else close_to(Remembered(embedder(spec)))


def confusion(rows: Sequence[Judged]) -> Mapping[str, Mapping[str, int]]:
    """Return how often each kind got each reason."""
    out: dict[str, dict[str, int]] = {}
    for one in rows:
        counts = out.setdefault(str(one.pair.kind), {})
        counts[one.verdict.reason] = counts.get(one.verdict.reason, 0) + 1
    return out
