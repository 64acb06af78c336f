"""`mayak staff add|list`: who may sign in to the console.

An account is one short transaction, which the database takes beside a running server; nothing else of it is opened.
"""

import asyncio
import json
import secrets
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent.records.staff import Person, Staff
    from api.settings import Settings

app = typer.Typer(help="People who may sign in to the console.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
GENERATED_BYTES = 15


@app.command()
def add(
    ctx: typer.Context,
    login: Annotated[str, typer.Argument(help="Small Latin letters, digits, dots, hyphens.")],
    name: Annotated[str, typer.Option(help="What customers see.")],
    role: Annotated[list[str], typer.Option(help="operator, curator or admin; may be given twice.")],
    department: Annotated[str, typer.Option(help="Department of the company pack; empty for all.")] = "",
    generate: Annotated[bool, typer.Option("--generate", help="Make a password and print it once.")] = False,
    as_json: Json = False,
) -> None:
    """Add somebody. The password is asked for; from a pipe it is read as the first line of the input."""
    from agent.records.staff import Person
    from api.staff import add_person

    settings = ctx.obj.settings()
    person = Person(login=login, name=name.strip(), roles=_roles(role), department=department)
    _check_department(settings, department)
    password = secrets.token_urlsafe(GENERATED_BYTES) if generate else _password()

    async def work(staff: "Staff") -> None:
        await add_person(staff, person, password=password)

    _run(settings, work)
    told = _row(person) | ({"password": password} if generate else {})
    shown = f"{login} may sign in at {settings.base_url}/console."
    _print(told, f"{shown}\nPassword: {password}" if generate else shown, as_json)


@app.command("list")
def list_(ctx: typer.Context, as_json: Json = False) -> None:
    """List who may sign in."""

    async def work(staff: "Staff") -> "tuple[Person, ...]":
        return await staff.people()

    people: tuple[Person, ...] = _run(ctx.obj.settings(), work)
    lines = [
        f"{one.login:<20} {one.name:<28} {', '.join(sorted(one.roles)):<20} {one.department}"
        for one in people
    ]
    empty = "Nobody yet. Add somebody with `mayak staff add LOGIN --name NAME --role admin`."
    _print([_row(one) for one in people], "\n".join(lines) or empty, as_json)


def _roles(names: list[str]) -> Any:
    from agent.records.staff import ROLES
    from api.staff import BadAccount

    wrong = sorted(set(names) - set(ROLES))
    if wrong:
        raise BadAccount(f"There is no role {', '.join(wrong)}.", remedy=f"Use {', '.join(ROLES)}.")
    return frozenset(role for role in ROLES if role in names)


def _check_department(settings: "Settings", department: str) -> None:
    from agent.pack import load_pack
    from api.staff import BadAccount

    known = [one.id for one in load_pack(settings.company).departments]
    if department and department not in known:
        raise BadAccount(f"There is no department “{department}”.", remedy=f"Use one of: {', '.join(known)}.")


def _password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")


def _run(settings: "Settings", work: "Callable[[Staff], Awaitable[Any]]") -> Any:
    """Run on the migrated database."""
    from agent.records.engine import connect
    from agent.records.staff import Staff
    from api.container import SystemClock
    from api.migrate import migrate_or_say

    settings.data.mkdir(parents=True, exist_ok=True)
    migrate_or_say(settings.database_url)

    async def opened() -> Any:
        engine = connect(settings.database_url)
        try:
            return await work(Staff(engine, clock=SystemClock()))
        finally:
            await engine.dispose()

    return asyncio.run(opened())


def _row(person: "Person") -> dict[str, Any]:
    return {
        "login": person.login,
        "name": person.name,
        "roles": sorted(person.roles),
        "department": person.department,
        "disabled": person.disabled,
    }


def _print(data: Any, text: str, as_json: bool) -> None:
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2) if as_json else text)
