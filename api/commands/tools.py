"""`mayak tools new NAME`: begins a tool over a system of the company, as files that pass the project's checks."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from api.scaffold.plan import Plan

app = typer.Typer(help="Tools over the company's systems.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """What customers can see and do through Mayak, as code."""


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The system in code, in the plural: warranties.")],
    ru: Annotated[str, typer.Option(help="What customers call what is in it, in Russian, plural.")] = "",
    en: Annotated[str, typer.Option(help="The same in English. Default of both: the name.")] = "",
    scope: Annotated[str, typer.Option(help="Purpose the customer allows. Default: NAME:read.")] = "",
    assurance: Annotated[
        str, typer.Option(help="How surely the customer must be known: channel, verified or stepped_up.")
    ] = "channel",
    folder: Annotated[Path, typer.Option(help="Working tree of Mayak; default: here.")] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
) -> None:
    """Write port, fake, two tools, their texts, a contract test and an eval case; all of them or nothing."""
    from api.scaffold.plan import new_tool, planned
    from api.scaffold.writing import write

    tool = new_tool(name, ru=ru, en=en, scope=scope, assurance=assurance)
    plan = planned(tool, today=datetime.now(UTC).date())
    created = write(plan, folder.resolve())
    if as_json:
        body: dict[str, object] = {"name": tool.name, "tools": tool.tools, "created": created}
        body |= {"wiring": plan.wiring, "checks": plan.checks()}
        typer.echo(json.dumps(body, ensure_ascii=False, indent=2))
    else:
        typer.echo(_told(plan, created))


def _told(plan: "Plan", created: tuple[str, ...]) -> str:
    lines = [f"Tools {' and '.join(plan.tool.tools)} are begun:", *(f"  {path}" for path in created)]
    for path, text in plan.wiring.items():
        lines += ["", f"Put into {path}:", *(f"  {line}".rstrip() for line in text.splitlines())]
    return "\n".join([*lines, "", "Then check:", *(f"  {command}" for command in plan.checks())])
