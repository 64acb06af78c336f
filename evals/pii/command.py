"""`mayak eval pii` and suite `pii`: personal data in texts from a file, or in the set made from templates."""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evals.retrieval import bars, faults

if TYPE_CHECKING:
    from agent.privacy.reread import Finder
    from evals.measured import Findings, Setting, Tell
    from evals.pii.made import Place, Sentence
    from evals.pii.measuring import Read


def pii(
    texts: Annotated[
        Path | None,
        typer.Option(
            help="Lines of {id, text, lang?, spans?: [{type, start, end}]}; without it the made set."
        ),
    ] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="Without the neural reader, as logs are masked.")
    ] = False,
    also: Annotated[list[str] | None, typer.Option(help="Kinds to find besides: order, contract.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print {id, spans}, a line a text.")] = False,
    fit: Annotated[bool, typer.Option("--fit", help="Fit the tagger of Latin names and write it.")] = False,
    evaldata: Annotated[Path | None, typer.Option(help="Folder of public sets, which --fit needs.")] = None,
) -> None:
    """Find personal data. With spans given, figures follow: on the error stream beside --json.

    A span is {type, start, end, value}; characters are counted from 0, `end` is the first one after it. Types: PERSON,
    PHONE_NUMBER, EMAIL_ADDRESS, CREDIT_CARD, PASSPORT, SNILS, INN, STREET_ADDRESS, DATE_OF_BIRTH, BANK_ACCOUNT,
    ID_NUMBER, USERNAME, LINK; with --also ORDER_NUMBER, CONTRACT_NUMBER.
    """
    from agent.privacy.detect import Detector, thorough
    from agent.privacy.spans import ASKED_FOR
    from evals.pii.made import sentences
    from evals.pii.measuring import figures

    if fit:
        _fit(evaldata, as_json=as_json)
        return
    wanted = frozenset(kind for kind in ASKED_FOR if kind in (also or ()))
    if unknown := set(also or ()) - wanted:
        raise typer.BadParameter(
            f"--also takes {' and '.join(sorted(ASKED_FOR))}, not {', '.join(sorted(unknown))}."
        )
    with faults(as_json=as_json), bars(quiet=as_json) as bar:
        asked = read_texts(texts) if texts is not None else list(sentences())
        detector = Detector(also=wanted) if fast else thorough(wanted)
        rows = found(asked, detector=detector, tell=bar("Reading"))
    for one in rows if as_json else ():
        typer.echo(json.dumps(as_row(one), ensure_ascii=False))
    told = {figure.name: round(figure.value, 4) for figure in figures(rows)}
    typer.echo(json.dumps(told, indent=None if as_json else 2), err=as_json)


def _fit(evaldata: Path | None, *, as_json: bool) -> None:
    from agent.privacy.latin import WEIGHTS
    from evals.pii.teaching import school, unseen, written

    if evaldata is None:
        raise typer.BadParameter("--fit needs --evaldata FOLDER.")
    with faults(as_json=as_json):
        taught = school(evaldata)
        told = {name: round(value, 4) for name, value in unseen(taught).items()}
        WEIGHTS.write_text(written(taught.fit()), "utf-8")
    typer.echo(json.dumps(told, indent=None if as_json else 2))


def read_texts(path: Path) -> "list[Sentence]":
    """Read texts, with what is known of them. Raises `BadRecords`."""
    from evals.pii.made import Sentence
    from knowledge.errors import BadRecords
    from knowledge.records import rows_of

    out = []
    for n, row in rows_of(path):
        if not isinstance(row.get("text"), str):
            raise BadRecords(f"{path.name}:{n} has no text.", remedy="Give every line a `text`.")
        out.append(
            Sentence(
                id=str(row.get("id", n)),
                text=row["text"],
                language=str(row.get("lang") or row.get("language") or ""),
                gold=tuple(_places(row.get("spans") or (), where=f"{path.name}:{n}")),
            )
        )
    if not out:
        raise BadRecords(f"{path.name} holds no texts.", remedy="Write one JSON object a line.")
    return out


def _places(spans: Sequence[Any], *, where: str) -> "Iterator[Place]":
    from evals.pii.made import Place
    from evals.pii.measuring import SAME, TYPES
    from knowledge.errors import BadRecords

    kinds = {name: kind for kind, name in TYPES.items()}
    for span in spans:
        try:
            name = str(span["type"])
            start, end = int(span["start"]), int(span["end"])
        except (KeyError, TypeError, ValueError) as wrong:
            raise BadRecords(
                f"{where} has a wrong span: {span!r}.", remedy="Write {type, start, end}."
            ) from wrong
        kind = kinds.get(SAME.get(name, name))
        # Towns, titles and organisations are nobody's; a set may have them all the same.
        if kind is not None:
            yield Place(kind=kind, start=start, end=end)


def found(asked: "Sequence[Sentence]", *, detector: "Finder", tell: Any) -> "list[Read]":
    """Return what the detector finds in each text; what it loads is loaded before the clock runs."""
    from evals.pii.measuring import Read

    detector.find("Анна")
    out = []
    for n, sentence in enumerate(asked, start=1):
        began = time.perf_counter()
        spans = detector.find(sentence.text)
        out.append(Read(sentence=sentence, spans=spans, ms=1000 * (time.perf_counter() - began)))
        tell(n, len(asked))
    return out


def as_row(one: "Read") -> dict[str, Any]:
    """Return one text's finds as they are printed."""
    from evals.pii.measuring import TYPES

    text = one.sentence.text
    spans = [
        {"type": TYPES[span.kind], "start": span.start, "end": span.end, "value": text[span.start : span.end]}
        for span in one.spans
    ]
    return {"id": one.sentence.id, "spans": spans, "ms": round(one.ms, 3)}


async def measure(setting: "Setting", tell: "Tell") -> "Findings":
    """Measure the set made from templates."""
    from agent.privacy.detect import thorough
    from evals.measured import Findings
    from evals.pii.made import sentences
    from evals.pii.measuring import figures, misses

    rows = found(sentences(), detector=thorough(), tell=lambda done, total: tell("Reading", done, total))
    return Findings(figures=tuple(figures(rows)), misses=tuple(misses(rows)))
