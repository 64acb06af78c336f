"""`mayak promises list`: what customers were promised and still wait for.

A short transaction beside a running server. It shows words of staff and nothing a customer said; that it did is in the audit.
"""

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.library import me

if TYPE_CHECKING:
    from agent.pledge import Owed
    from api.settings import Settings

app = typer.Typer(help="What customers were promised.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Late = Annotated[bool, typer.Option("--late", help="Only those whose time has passed.")]


@app.callback()
def promises() -> None:
    """Promises that stand; see docs/promises.md."""


@app.command("list")
def list_(ctx: typer.Context, late: Late = False, as_json: Json = False) -> None:
    """Show the promises that stand, the first due first."""
    settings = ctx.obj.settings()
    rows = [_row(owed) for owed in asyncio.run(_standing(settings, late=late))]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        typer.echo(f"{row['due']}  {row['state']:<5} {row['owner']}:{row['name']:<12} {row['words']}")
    if not rows:
        typer.echo("None stand.")


async def _standing(settings: "Settings", *, late: bool) -> "list[Owed]":
    """Return what is shown, and write down that it was."""
    from agent.records.audit import SqlAudit
    from agent.records.chain import Entry, subject_of
    from agent.records.engine import connect
    from agent.records.promises import all_standing
    from api.container import SystemClock
    from api.migrate import migrate_or_say

    settings.data.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(migrate_or_say, settings.database_url)
    engine = connect(settings.database_url)
    try:
        found = [owed for owed in await all_standing(engine) if owed.state == "late" or not late]
        if found:
            about = [subject_of(owed.conversation, owed.customer) for owed in found]
            entry = Entry(act="promises", actor=me(), detail={"late": late}, shown=about)
            await SqlAudit(engine, clock=SystemClock()).write(entry)
        return found
    finally:
        await engine.dispose()


def _row(owed: "Owed") -> dict[str, Any]:
    return {
        "id": owed.id,
        "conversation": owed.conversation,
        "message": owed.seq,
        "owner": owed.owner,
        "name": owed.name,
        "department": owed.department,
        "words": owed.words,
        "made": owed.made.isoformat(timespec="seconds"),
        "due": owed.due.isoformat(timespec="seconds"),
        "exact": owed.exact,
        "state": owed.state,
        "late": owed.late.isoformat(timespec="seconds") if owed.late else None,
        "told": owed.told,
        "renews": owed.renews or None,
    }
