"""`mayak customer consents`: what a customer allows now, and everything they ever said of it.

Reading is one short transaction, which the database takes beside a running server; nothing else of it is opened.
"""

import asyncio
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.customer_rights import register

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.basis import Basis, ConsentRow
    from agent.pack import Pack
    from api.settings import Settings

app = typer.Typer(help="What is kept about a customer.", no_args_is_help=True)
register(app)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def group() -> None:
    """What is kept about a customer."""


@app.command()
def consents(
    ctx: typer.Context,
    id: Annotated[str, typer.Argument(help="The customer's id, or the id of a conversation.")],
    as_json: Json = False,
) -> None:
    """Show what is allowed now and the whole history: text, version, hash, channel, time, who."""
    from agent.pack import load_pack

    settings = ctx.obj.settings()
    pack = load_pack(settings.company)
    rows, live = asyncio.run(_read(settings, pack, id))
    if as_json:
        typer.echo(json.dumps(_told(id, rows, live, pack), ensure_ascii=False, indent=2))
    else:
        _show(rows, live, pack)


async def _read(
    settings: "Settings", pack: "Pack", id: str
) -> "tuple[tuple[ConsentRow, ...], Mapping[str, Basis]]":
    """Return the history and what is live; a customer's, else that of a conversation. Raises `UnknownCustomer`."""
    from agent.gate import Gate
    from agent.records.engine import connect
    from agent.records.errors import UnknownConversation
    from agent.records.sql import SqlRecords
    from api.container import SystemClock
    from api.migrate import migrate_or_say
    from api.rights.subject import UnknownCustomer
    from tools.context import ConversationId, CustomerId

    settings.data.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(migrate_or_say, settings.database_url)
    engine = connect(settings.database_url)
    records = SqlRecords(engine, clock=SystemClock(), card=lambda *_: {}, purposes=pack.purposes)
    gate = Gate(records, pack.purposes)
    try:
        customer = CustomerId(id)
        if rows := await records.consents_of(customer):
            return rows, await gate.live_for(ConversationId(""), customer)
        talk = await records.conversation(ConversationId(id))
        return await records.consents(talk.id), await gate.live_for(talk.id, talk.customer_id)
    except UnknownConversation as unknown:
        raise UnknownCustomer(id) from unknown
    finally:
        await engine.dispose()


def _told(
    id: str, rows: "tuple[ConsentRow, ...]", live: "Mapping[str, Basis]", pack: "Pack"
) -> dict[str, Any]:
    return {
        "id": id,
        "now": [
            {
                "purpose": name,
                "basis": purpose.basis,
                "live": name in live,
                "version": purpose.version,
                "row": row.number if name in live and (row := live[name].row) is not None else None,
            }
            for name, purpose in pack.purposes.items()
        ],
        "history": [{**asdict(row), "at": row.at.isoformat()} for row in rows],
    }


def _show(rows: "tuple[ConsentRow, ...]", live: "Mapping[str, Basis]", pack: "Pack") -> None:
    from rich.console import Console
    from rich.table import Table

    now = Table("purpose", "basis", "now", "version", title="Allowed now")
    for name, purpose in pack.purposes.items():
        mark = "[green]yes[/]" if name in live else "no"
        now.add_row(name, purpose.basis, mark, purpose.version)
    past = Table(
        "no.", "when (UTC)", "purpose", "said", "version", "sha-256", "channel", "by", "text", title="History"
    )
    for row in rows:
        past.add_row(
            str(row.number),
            f"{row.at:%Y-%m-%d %H:%M:%S}",
            row.purpose,
            "[green]yes[/]" if row.granted else "[red]no[/]",
            row.version,
            row.text_sha256[:12],
            " ".join(filter(None, (row.channel, row.address))),
            row.actor,
            row.text,
        )
    console = Console()
    console.print(now)
    console.print(past)
