"""`mayak knowledge approve | approved`: which documents answer without a model, and what that has spared."""

import asyncio
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.library import DocumentName, Json, fail, me, named, print_json, run, say

if TYPE_CHECKING:
    from agent.records.savings import Savings
    from knowledge.library import Library
    from knowledge.types import Document


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("approve")(approve)
    app.command("approved")(approved)


def approve(
    ctx: typer.Context,
    document: DocumentName,
    off: Annotated[bool, typer.Option("--off", help="Take the approval back.")] = False,
    why: Annotated[str, typer.Option("--why", help="The reason; it stays in the history.")] = "",
    as_json: Json = False,
) -> None:
    """Let a document's sections under a question be given as answers without asking a model."""

    async def work(library: "Library") -> "Document":
        known = await library.catalogue.document(named(document))
        return await library.describe(
            known.id,
            audience=known.audience,
            department=known.department,
            valid_from=known.valid_from,
            valid_until=known.valid_until,
            approved=not off,
            by=me(),
            why=why,
        )

    found = run(ctx, work, as_json=as_json)
    told = "answers without a model" if found.approved else "is read by a model, or quoted"
    say(asdict(found), f"{found.id} ({found.status}) {told} from now on.", as_json)


def approved(
    ctx: typer.Context,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How far back to look.")] = 30,
    as_json: Json = False,
) -> None:
    """Show the approved questions, how many answers needed no model, and what these would have cost."""
    from api.faults import told

    try:
        found = asyncio.run(_approved(ctx.obj, days))
    except Exception as fault:
        if (words := told(fault)) is None:
            raise
        fail(*words, as_json)
    if as_json:
        print_json(found)
        return
    for one in found["questions"]:
        typer.echo(f"{one['document']:<24} {one['question']}")
    typer.echo(_in_words(found, days))


async def _approved(context: Any, days: int) -> dict[str, Any]:
    from agent.records.engine import connect
    from agent.records.savings import savings
    from knowledge.approved import ApprovedAnswers
    from knowledge.types import LANGUAGES

    async with context.library() as library:
        engine = connect(context.settings().database_url)
        try:
            spared: Savings = await savings(engine, since=library.now() - timedelta(days=days))
            answers = ApprovedAnswers(engine)
            known = [one for language in LANGUAGES for one in await answers.approved(language)]
            live = await library.live([one.passage.id for one in known])
        finally:
            await engine.dispose()
    questions = [
        {"document": one.passage.document, "question": one.question, "live": one.passage.id in live}
        for one in known
    ]
    return {"days": days, "questions": questions, **spared.as_dict()}


def _in_words(found: dict[str, Any], days: int) -> str:
    if found["share"] is None:
        return f"Nothing was answered in {days} days."
    spared = "; ".join(
        f"{name} {'unknown' if found[key] is None else f'{found[key]:,.2f}'.rstrip('0').rstrip('.')}"
        for key, name in (("calls", "model calls spared"), ("tokens", "tokens"), ("usd", "US dollars"))
    )
    return (
        f"{found['approved']} of {found['answered']} answers in {days} days ({found['share']:.0%}) needed no model; {spared}"
        f" (by {found['comparable']} answers that a remote model wrote)."
    )
