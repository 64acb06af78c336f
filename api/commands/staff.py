"""`mayak staff`: who may sign in to the console, and what is done when somebody changes or loses something.

An account is one short transaction, which the database takes beside a running server; nothing else of it is opened.
"""

import asyncio
import json
import secrets
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.library import me

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent.records.staff import Person, Staff
    from agent.suggestions import Figures
    from api.settings import Settings

app = typer.Typer(help="People who may sign in to the console.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Login = Annotated[str, typer.Argument(help="Whose account.")]
Generate = Annotated[bool, typer.Option("--generate", help="Make a password and print it once.")]
GENERATED_BYTES = 15


@app.command()
def add(
    ctx: typer.Context,
    login: Annotated[str, typer.Argument(help="Small Latin letters, digits, dots, hyphens.")],
    name: Annotated[str, typer.Option(help="What customers see.")],
    role: Annotated[list[str], typer.Option(help="operator, curator or admin; may be given twice.")],
    department: Annotated[str, typer.Option(help="Department of the company pack; empty for all.")] = "",
    generate: Generate = False,
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


@app.command()
def desk(
    ctx: typer.Context,
    login: Annotated[str, typer.Argument(help="Whose desk.")],
    language: Annotated[
        list[str] | None, typer.Option(help="A language they answer in; may be given twice.")
    ] = None,
    capacity: Annotated[int, typer.Option(min=0, help="Conversations at a time; 0 is the department's.")] = 0,
    as_json: Json = False,
) -> None:
    """Say what somebody answers; without options they answer what their department does."""
    from agent.records.desks import Desks
    from api.staff import BadAccount

    settings = ctx.obj.settings()
    languages = _languages(settings, language or [])

    async def work(staff: "Staff") -> None:
        if await staff.person(login) is None:
            raise BadAccount(f"There is nobody with the login “{login}”.", remedy="See `mayak staff list`.")
        await Desks(staff.engine).set(login, languages=languages, capacity=capacity)

    _run(settings, work)
    spoken = ", ".join(languages) or "the department's languages"
    told = {"login": login, "languages": list(languages), "capacity": capacity}
    _print(
        told, f"{login} answers in {spoken}, {capacity or 'the department’s number of'} at a time.", as_json
    )


def _languages(settings: "Settings", names: list[str]) -> Any:
    from agent.pack import load_pack
    from api.staff import BadAccount

    known = load_pack(settings.company).languages
    wrong = sorted(set(names) - set(known))
    if wrong:
        raise BadAccount(f"The company does not speak {', '.join(wrong)}.", remedy=f"Use {', '.join(known)}.")
    return tuple(one for one in known if one in names)


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


@app.command()
def password(ctx: typer.Context, login: Login, generate: Generate = False, as_json: Json = False) -> None:
    """Give somebody a new password; they are signed out everywhere."""
    from api.staff import password_hash

    made = secrets.token_urlsafe(GENERATED_BYTES) if generate else _password()

    async def work(staff: "Staff") -> None:
        await staff.set_password(login, await password_hash(made))

    _change(ctx.obj.settings(), work, act="password", login=login)
    told = {"login": login} | ({"password": made} if generate else {})
    shown = f"{login} has a new password and is signed out everywhere."
    _print(told, f"{shown}\nPassword: {made}" if generate else shown, as_json)


@app.command()
def roles(
    ctx: typer.Context,
    login: Login,
    role: Annotated[list[str], typer.Option(help="operator, curator or admin; all that remain.")],
    as_json: Json = False,
) -> None:
    """Give somebody these roles and no others; who had others is signed out everywhere."""
    wanted = _roles(role)

    async def work(staff: "Staff") -> bool:
        return await staff.set_roles(login, wanted)

    changed = _change(ctx.obj.settings(), work, act="roles", login=login, roles=sorted(wanted))
    told = "is signed out everywhere" if changed else "had these roles already"
    _print({"login": login, "roles": sorted(wanted), "changed": changed}, f"{login} {told}.", as_json)


@app.command()
def block(ctx: typer.Context, login: Login, as_json: Json = False) -> None:
    """Keep somebody out: from their next request on nothing opens."""

    async def work(staff: "Staff") -> None:
        await staff.set_disabled(login, True)

    _change(ctx.obj.settings(), work, act="block", login=login)
    _print({"login": login, "disabled": True}, f"{login} is blocked and signed out everywhere.", as_json)


@app.command()
def unblock(ctx: typer.Context, login: Login, as_json: Json = False) -> None:
    """Let somebody in again."""

    async def work(staff: "Staff") -> None:
        await staff.set_disabled(login, False)

    _change(ctx.obj.settings(), work, act="unblock", login=login)
    _print({"login": login, "disabled": False}, f"{login} may sign in again.", as_json)


@app.command("sign-out")
def sign_out(ctx: typer.Context, login: Login, as_json: Json = False) -> None:
    """End all sessions of somebody; they may sign in again."""

    async def work(staff: "Staff") -> int:
        await _known(staff, login)
        return await staff.close_sessions(login)

    ended = _change(ctx.obj.settings(), work, act="sessions_ended", login=login)
    _print({"login": login, "ended": ended}, f"{login} is signed out everywhere: {ended} sessions.", as_json)


@app.command("reset-factor")
def reset_factor(ctx: typer.Context, login: Login, as_json: Json = False) -> None:
    """Forget the second factor of somebody who lost it; they are signed out everywhere and can set up another."""
    from agent.records.factors import Factors

    async def work(staff: "Staff") -> bool:
        await _known(staff, login)
        removed = await Factors(staff.engine, clock=staff.clock).remove(login)
        await staff.close_sessions(login)
        return removed

    removed = _change(ctx.obj.settings(), work, act="factor_reset", login=login)
    told = "has no second factor any more" if removed else "had no second factor"
    _print({"login": login, "removed": removed}, f"{login} {told} and is signed out everywhere.", as_json)


async def _known(staff: "Staff", login: str) -> None:
    """Raise `UnknownLogin` for a login nobody has."""
    from agent.records.staff import UnknownLogin

    if await staff.person(login) is None:
        raise UnknownLogin(login)


def _change(
    settings: "Settings", work: "Callable[[Staff], Awaitable[Any]]", *, act: str, login: str, **detail: Any
) -> Any:
    """Do it and write down who of this machine did it to whom."""

    async def noted(staff: "Staff") -> Any:
        from agent.records.audit import SqlAudit
        from agent.records.chain import Entry

        done = await work(staff)
        entry = Entry(act=act, actor=me(), target=login, detail=detail)
        await SqlAudit(staff.engine, clock=staff.clock).write(entry)
        return done

    return _run(settings, noted)


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


@app.command()
def suggestions(
    ctx: typer.Context,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How far back to look.")] = 30,
    as_json: Json = False,
) -> None:
    """Show how many suggested answers were sent as they were, edited or not taken, and the median edit."""
    from dataclasses import asdict
    from datetime import timedelta

    from agent.records.suggestions import SqlSuggestions
    from api.container import SystemClock

    async def work(staff: "Staff") -> "Figures":
        return await SqlSuggestions(staff.engine).figures(since=SystemClock().now() - timedelta(days=days))

    found: Figures = _run(ctx.obj.settings(), work)
    _print({"days": days, **asdict(found), "unchanged": found.unchanged}, _changed(found, days), as_json)


def _changed(found: "Figures", days: int) -> str:
    if not found.suggested:
        return f"No answers were suggested in {days} days."
    counts = f"{found.kept} sent as they were, {found.edited} edited, {found.discarded} not taken"
    share = "" if found.unchanged is None else f"; {found.unchanged:.0%} unchanged"
    far = "" if found.median_distance is None else f"; median edit {found.median_distance:.0%} of letters"
    return f"{found.suggested} answers suggested in {days} days: {counts}{share}{far}."
