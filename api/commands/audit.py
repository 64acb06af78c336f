"""`mayak audit verify|list`: does the chain of what was done still hold, and what does it tell.

Both only read, beside a running server.
"""

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent.records.audit import SqlAudit
    from agent.records.chain import Line, Verdict
    from api.settings import Settings

app = typer.Typer(help="What was done, by whom and about whom.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def verify(
    ctx: typer.Context,
    known: Annotated[
        str, typer.Option(metavar="N:LINK", help="A head printed before and kept elsewhere.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Walk along the whole chain; exit code 1 when a line was changed, moved, taken out or cut off."""
    n, link = _head(known)

    async def work(trail: "SqlAudit") -> "tuple[Verdict, bool]":
        return await trail.verified(), not n or await trail.link(n) == link

    verdict, same = _run(ctx.obj.settings(), work)
    faults = [fault.told for fault in verdict.faults]
    if not same:
        faults.append(f"line {n} is another one than the head that was kept: the chain was written anew")
    if as_json:
        told = {"holds": not faults, "lines": verdict.lines, "erased": verdict.erased, "faults": faults}
        typer.echo(json.dumps({**told, "head": f"{verdict.lines}:{verdict.link}"}, indent=2))
    else:
        for fault in faults:
            typer.echo(f"{fault[0].upper()}{fault[1:]}.")
        typer.echo(
            f"{verdict.lines} lines, {verdict.erased} of them erased: {'not ' * bool(faults)}as written."
        )
        typer.echo(f"Head: {verdict.lines}:{verdict.link}")
    if faults:
        raise typer.Exit(1)


@app.command("list")
def list_(
    ctx: typer.Context,
    customer: Annotated[str, typer.Option(help="Only lines about this customer.")] = "",
    act: Annotated[str, typer.Option(help="Only lines about this act, such as read.")] = "",
    last: Annotated[int, typer.Option(min=1, max=10_000, help="How many lines.")] = 50,
    as_json: Json = False,
) -> None:
    """Show the last lines, the newest first."""
    from tools.context import CustomerId

    async def work(trail: "SqlAudit") -> "tuple[Line, ...]":
        about = await trail.subjects(CustomerId(customer)) if customer else None
        return await trail.listed(about=about, act=act, limit=last)

    rows = [_row(line) for line in _run(ctx.obj.settings(), work)]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        detail = json.dumps(row["detail"], ensure_ascii=False)
        typer.echo(
            f"{row['n']:>8}  {row['at']}  {row['actor']:<16} {row['act']:<18} {row['target']}  {detail}"
        )
    if not rows:
        typer.echo("Nothing.")


def _head(known: str) -> tuple[int, str]:
    from api.settings import BadSetting

    n, colon, link = known.partition(":")
    if known and not (colon and n.isdecimal() and int(n) and link):
        raise BadSetting(f"“{known}” is no head.", remedy="Give it as verify printed it: N:LINK.")
    return int(n or 0), link


def _row(line: "Line") -> dict[str, Any]:
    fields = line.fields
    assert fields is not None, "only lines with fields are listed"
    return {
        "n": line.n,
        "at": fields.at.isoformat(timespec="seconds"),
        "actor": fields.actor,
        "act": fields.act,
        "target": fields.target,
        "about": fields.about,
        "detail": fields.detail,
    }


def _run(settings: "Settings", work: "Callable[[SqlAudit], Awaitable[Any]]") -> Any:
    """Run on the migrated database."""
    from agent.records.audit import SqlAudit
    from agent.records.engine import connect
    from api.container import SystemClock
    from api.migrate import migrate_or_say

    settings.data.mkdir(parents=True, exist_ok=True)
    migrate_or_say(settings.database_url)

    async def opened() -> Any:
        engine = connect(settings.database_url)
        try:
            return await work(SqlAudit(engine, clock=SystemClock()))
        finally:
            await engine.dispose()

    return asyncio.run(opened())
