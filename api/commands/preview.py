"""`mayak knowledge preview`: what a draft would change, and publishing it with that in view."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from api.commands.library import DocumentName, Json, fail, me, named, print_json
from api.commands.progress import bar

if TYPE_CHECKING:
    from rich.console import Console

    from knowledge.decisions import Change
    from knowledge.preview import Difference, Told, Verdict

T = TypeVar("T")
WHY = {
    "gold_found": "finds what the pack expects",
    "gold_lost": "no longer finds what the pack expects",
    "gold_kept": "finds what the pack expects, in other words",
    "outside_answered": "answers what is not our business",
    "outside_declined": "no longer answers what is not our business",
    "answers_now": "answers by itself now",
    "answers_no_more": "no longer answers by itself",
    "surer": "surer",
    "less_sure": "less sure",
    "other_words": "other words",
}
COLOURS = {"better": "green", "worse": "red", "unknown": "yellow"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("preview")(preview)


def preview(
    ctx: typer.Context,
    document: DocumentName,
    version: Annotated[int, typer.Option(min=0, help="A version; the newest by default.")] = 0,
    last: Annotated[int, typer.Option(min=0, max=2000, help="Real questions to ask again.")] = 100,
    publish: Annotated[bool, typer.Option("--publish", help="Publish it if no answer gets worse.")] = False,
    accept_worse: Annotated[
        bool, typer.Option("--accept-worse", help="With --publish: even if answers get worse.")
    ] = False,
    why: Annotated[str, typer.Option("--why", help="The reason; it stays in the history.")] = "",
    as_json: Json = False,
) -> None:
    """Ask the last real questions and the pack's again, with and without a draft, and show which answers change."""

    async def work() -> "tuple[Change, str]":
        from api.curation import Curation
        from api.faults import told

        async with ctx.obj.building() as building:
            curation = Curation(building)
            with bar("Asking", quiet=as_json) as show:
                change = await curation.preview(
                    named(document), by=me(), version=version or None, last=last, progress=show
                )
            if not publish:
                return change, ""
            accepting: frozenset[Verdict] = frozenset({"worse"} if accept_worse else ())
            try:
                return await curation.publish(change.id, by=me(), accepting=accepting, why=why), ""
            except Exception as fault:
                if (words := told(fault)) is None:
                    raise
                return change, " ".join(words)

    change, refused = _opened(work, as_json)
    if as_json:
        print_json({**asdict(change), "counts": change.preview.counts, "refused": refused})
    else:
        _show(change)
    if refused:
        if not as_json:
            typer.secho(f"Not published: {refused}", fg="red", err=True)
        raise typer.Exit(1)


def _opened(work: Callable[[], Coroutine[Any, Any, T]], as_json: bool) -> T:
    from api.faults import told

    try:
        return asyncio.run(work())
    except Exception as fault:
        if (words := told(fault)) is None:
            raise
        fail(*words, as_json)


def _show(change: "Change") -> None:
    from rich.console import Console

    console, found = Console(highlight=False), change.preview
    for one in found.differences:
        _difference(console, one)
    for clash in change.conflicts:
        console.print(f"[red]contradicts[/red] {clash.other_passage} ({clash.kind})", style="bold")
        console.print(f"  draft:     {clash.quote}", markup=False)
        console.print(f"  published: {clash.other_quote}", markup=False)
    counts = ", ".join(f"{n} {verdict}" for verdict, n in found.counts.items())
    console.print(
        f"{change.document}, version {change.version}: {found.asked} questions in {found.ms / 1000:.1f} s; "
        f"{counts}, {found.unchanged} unchanged. Change {change.id} is {change.state}."
    )
    if found.depth == "retrieval":
        console.print("A remote model is set: compared is what would be found, not whole answers.")


def _difference(console: "Console", one: "Difference") -> None:
    console.print(f"[{COLOURS[one.verdict]}]{one.verdict}[/] · {WHY[one.why]}", style="bold")
    console.print(f"  {' '.join(one.question.text.split())}", markup=False)
    for sign, told in (("-", one.before), ("+", one.after)):
        console.print(f"  {sign} {_told(told)}", markup=False)


def _told(told: "Told") -> str:
    sure = "" if told.confidence is None else f", {told.confidence:.2f}"
    sources = ", ".join(dict.fromkeys(one.document for one in told.citations))
    said = told.text or " / ".join(one.quote for one in told.citations[:1])
    return f"[{told.outcome}{sure}{'; ' if sources else ''}{sources}] {' '.join(said.split())[:300]}"
