"""`mayak customer`, the rights of a customer: what is held of them, taken along."""

import asyncio
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from api.commands.library import me

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent.records.sql import SqlRecords
    from api.rights.erasures import Tombstone
    from api.rights.premises import Premises
    from api.settings import Settings
    from tools.context import CustomerId

T = TypeVar("T")

Id = Annotated[
    str, typer.Argument(metavar="ID", help="A customer's id, or that of a conversation of nobody known.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PRIVATE = 0o600


def register(app: typer.Typer) -> None:
    """Give the group its verbs."""
    for verb in (export, erase, forgotten, freeze, thaw, rectify, retention):
        app.command()(verb)


def export(
    ctx: typer.Context,
    id: Id,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for export.json and export.html; default the id's.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write everything held of a customer to two files that only you may read; --json prints it instead."""
    from agent.records.audit import SqlAudit
    from agent.records.chain import Entry, subject_of
    from api.rights.export import exported
    from api.rights.page import page
    from api.rights.subject import subject_named

    async def work(premises: "Premises") -> tuple[dict[str, Any], str]:
        async with premises.engine.connect() as connection:
            subject = await subject_named(connection, id)
        told = await exported(premises, subject)
        about = subject_of(id, subject.customer)
        entry = Entry(act="customer.export", actor=me(), about=about, detail={})
        await SqlAudit(premises.engine, clock=premises.clock).write(entry)
        language = premises.pack.languages[0]
        company = premises.pack.name[language]
        return told, page(told, language=language, company=company, timezone=premises.pack.timezone)

    told, html = _run(ctx.obj.settings(), work)
    text = json.dumps(told, ensure_ascii=False, indent=2)
    if as_json:
        typer.echo(text)
        return
    folder = out or Path(f"export-{id}")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, content in (("export.json", text), ("export.html", html)):
        _write(folder / name, content)
    rows = sum(len(rows) for name, rows in told.items() if name != "about")
    typer.echo(f"{rows} rows: {folder / 'export.json'}, {folder / 'export.html'}.")
    for what, where in told["about"]["elsewhere"].items():
        typer.echo(f"Not in here: {what} are kept by {where}; export them there.")


def erase(
    ctx: typer.Context,
    id: Id,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    with_orders: Annotated[
        bool,
        typer.Option("--with-orders", help="The shop's own rows too although an order is under way."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Forget a customer: delete or make nobody's everything that is held, and leave a tombstone that names nobody."""
    from api.rights.subject import subject_named

    settings = ctx.obj.settings()

    async def look(premises: "Premises") -> int:
        async with premises.engine.connect() as connection:
            return len((await subject_named(connection, id)).conversations)

    talks = _run(settings, look)
    if not yes and not typer.confirm(
        f"Forget “{id}” ({talks} conversations)? This cannot be undone.", err=True
    ):
        raise typer.Exit(1)

    async def work(premises: "Premises") -> "Tombstone":
        return await _forgotten(premises, id, whole=with_orders)

    tomb = _run(settings, work)
    if as_json:
        typer.echo(json.dumps(tomb.as_dict(), ensure_ascii=False, indent=2))
        return
    rows = ", ".join(f"{table} {n}" for table, n in tomb.counts.items()) or "nothing was left"
    typer.echo(f"Done: {rows}.\nTombstone {tomb.id}, proof {tomb.proof}.")
    if tomb.kept:
        typer.echo(
            "The shop keeps its customer: orders are under way. Run it again when they have ended, or with --with-orders."
        )
    for what, where in (("orders", settings.orders), ("customers", settings.crm)):
        if where != "embedded":
            typer.echo(f"Not in here: {what} are kept by {where}; delete them there.")


def forgotten(
    ctx: typer.Context,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write it to a file that only you may read.")
    ] = None,
) -> None:
    """List who was forgotten, under pseudonyms: mayak restore --erasures FILE makes a backup forget them again."""
    from api.rights.forgotten import ledger_of

    async def work(premises: "Premises") -> dict[str, Any]:
        found = await ledger_of(premises.engine, secret=premises.secret, now=premises.clock.now())
        return found.as_dict()

    told = _run(ctx.obj.settings(), work)
    text = json.dumps(told, ensure_ascii=False, indent=2)
    if out is None:
        typer.echo(text)
        return
    _write(out, text)
    typer.echo(f"{len(told['forgotten'])} pseudonyms, {len(told['tombstones'])} tombstones: {out}")


def freeze(
    ctx: typer.Context,
    id: Id,
    why: Annotated[str, typer.Option("--why", help="The reason; it is exported with the rest.")] = "",
    as_json: Json = False,
) -> None:
    """Restrict processing: a person answers every message of theirs, no model reads it, nothing goes by its age."""
    _on(
        ctx,
        id,
        as_json,
        "frozen",
        lambda records, known: records.freeze(_id(id), known=known, by=me(), why=why),
    )


def thaw(ctx: typer.Context, id: Id, as_json: Json = False) -> None:
    """Lift the restriction."""
    _on(ctx, id, as_json, "thawed", lambda records, known: records.thaw(_id(id), known=known, by=me()))


def rectify(
    ctx: typer.Context,
    id: Id,
    note: Annotated[str, typer.Option("--note", help="What is wrong, and how it is right.")],
    as_json: Json = False,
) -> None:
    """Write down beside what is held what a customer says is wrong. The profile itself is put right where it is kept."""

    async def correct(records: "SqlRecords", known: bool) -> bool:
        await records.correct(_id(id), note, known=known, by=me())
        return True

    _on(ctx, id, as_json, "noted", correct)


def _on(
    ctx: typer.Context,
    id: str,
    as_json: bool,
    told: str,
    act: "Callable[[SqlRecords, bool], Awaitable[bool]]",
) -> None:
    """Do something to the records of a customer or of a conversation, and say whether that changed anything."""
    from agent.records.sql import SqlRecords
    from api.rights.subject import subject_named

    async def work(premises: "Premises") -> bool:
        async with premises.engine.connect() as connection:
            subject = await subject_named(connection, id)
        records = SqlRecords(
            premises.engine,
            clock=premises.clock,
            card=lambda purpose, language: {},
            purposes=premises.pack.purposes,
        )
        return await act(records, subject.customer is not None)

    changed = _run(ctx.obj.settings(), work)
    if as_json:
        typer.echo(json.dumps({"id": id, told: True, "changed": changed}, ensure_ascii=False))
    else:
        typer.echo(f"“{id}” is {told}." if changed else f"“{id}”: nothing to change.")


def _id(id: str) -> "CustomerId":
    from tools.context import CustomerId

    return CustomerId(id)


def retention(
    ctx: typer.Context,
    run: Annotated[
        bool, typer.Option("--run/--dry-run", help="Delete now what is only counted otherwise.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Count what is held longer than [retention] in policy.toml allows; --run deletes it, as the server does daily."""
    from api.rights.retention import run_retention

    async def work(premises: "Premises") -> dict[str, int]:
        return await run_retention(premises, dry=not run)

    found = _run(ctx.obj.settings(), work)
    if as_json:
        typer.echo(json.dumps({"deleted": run, "rows": found}))
        return
    for name, n in found.items():
        typer.echo(f"{name:<14} {n}")
    if not found:
        typer.echo("Nothing goes by itself: [retention] in policy.toml names no age.")


async def _forgotten(premises: "Premises", id: str, *, whole: bool) -> "Tombstone":
    """Carry out the request here, or have the server do it that owns the data folder."""
    from rich.console import Console

    from api.lock import owner_of
    from api.rights.erasures import Erasures
    from api.rights.subject import subject_named

    erasures = Erasures(premises)
    async with premises.engine.connect() as connection:
        subject = await subject_named(connection, id)
    request = await erasures.ask(subject, whole=whole)
    if owner_of(premises.settings.data) is None:
        with Console(stderr=True).status("Forgetting…"):
            return await erasures.carry_out(request)
    with Console(stderr=True).status("The server does it…") as shown:
        while True:
            found = await erasures.find(request)
            assert found is not None
            if found.state == "done":
                return found
            shown.update(f"The server does it: {found.state}…")
            await asyncio.sleep(0.2)


def _write(path: Path, text: str) -> None:
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE), "w", encoding="utf-8"
    ) as file:
        file.write(text)


def _run(settings: "Settings", work: "Callable[[Premises], Awaitable[T]]") -> "T":
    """Run on the migrated database, beside a server or without one."""
    from api.rights.premises import open_premises

    async def opened() -> T:
        async with open_premises(settings) as premises:
            return await work(premises)

    return asyncio.run(opened())
