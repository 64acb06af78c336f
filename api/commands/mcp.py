"""`mayak mcp`: what the pack's MCP servers offer, and pinning what was assigned."""

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from api.settings import Settings
    from tools.mcp.plug import Plug
    from tools.outside.definition import Definition

app = typer.Typer(help="MCP servers of the company pack.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="SERVER", help="NAME of [mcp.NAME] in policy.toml.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
LINE_CHARS = 100


@app.command("list")
def list_tools(ctx: typer.Context, server: Name, as_json: Json = False) -> None:
    """Show the tools a server offers just now: which are assigned, and whether they are still as pinned."""
    settings = ctx.obj.settings()
    plug, live = asyncio.run(_asked(settings, server))
    rows = _rows(settings, server, plug, live)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        good = row["standing"] in ("as pinned", "not assigned")
        typer.echo(f"{row['tool']:<32} {typer.style(row['standing'], fg=None if good else 'red')}")
        typer.echo(f"    {row['description']}")
        typer.echo(f"    arguments: {', '.join(row['arguments']) or 'none'}")


@app.command()
def pin(ctx: typer.Context, server: Name, as_json: Json = False) -> None:
    """Write down the assigned tools as the server defines them now. Read the difference before you keep it."""
    from tools.mcp.definition import write_pins
    from tools.outside.assignment import Unusable

    settings = ctx.obj.settings()
    plug, live = asyncio.run(_asked(settings, server))
    for name in plug.tools:
        if name not in live:
            raise Unusable(
                f"{server} offers no tool “{name}”.",
                where=(),
                remedy=f"It offers: {', '.join(sorted(live)) or 'none'}. Correct [mcp.{server}.tools.{name}].",
            )
    path = write_pins(settings.company, server, {name: live[name] for name in plug.tools})
    if as_json:
        typer.echo(json.dumps({"file": str(path), "tools": sorted(plug.tools)}, ensure_ascii=False))
    else:
        typer.echo(f"{path}: {', '.join(sorted(plug.tools)) or 'no tool is assigned'}")


async def _asked(settings: "Settings", server: str) -> "tuple[Plug, dict[str, Definition]]":
    from agent.pack import load_tables
    from api.plugged import mcp_token
    from tools.mcp.client import definitions, opened, plainly
    from tools.outside.assignment import Unusable

    _, policy = load_tables(settings.company)
    plug = policy.mcp.get(server)
    if plug is None:
        raise Unusable(
            f"There is no [mcp.{server}] in {settings.company / 'policy.toml'}.",
            where=(),
            remedy=f"There are: {', '.join(policy.mcp) or 'none'}; docs/mcp.md shows how to add one.",
        )
    token = mcp_token(settings, server, known=policy.mcp)
    try:
        async with opened(plug, folder=settings.company, token=token) as session:
            return plug, await definitions(session)
    except Exception as fault:
        # Whatever breaks inside the SDK's task groups is, to who asks, a server that does not answer.
        raise Unusable(
            f"{server} does not answer: {plainly(fault)}",
            where=(),
            remedy=f"Start it, or correct [mcp.{server}].",
        ) from fault


def _rows(
    settings: "Settings", server: str, plug: "Plug", live: "dict[str, Definition]"
) -> list[dict[str, Any]]:
    from tools.mcp.definition import difference, read_pins
    from tools.outside.shape import one_line

    pins = read_pins(settings.company, server)

    def standing(name: str) -> str:
        if name not in plug.tools:
            return "not assigned"
        if name not in pins:
            return "not pinned"
        return difference(pins[name], live[name]) or "as pinned"

    return [
        {
            "tool": name,
            "standing": standing(name),
            "description": one_line(live[name].description, most=LINE_CHARS),
            "arguments": sorted(live[name].schema.get("properties") or ()),
            "read_only": live[name].read_only,
        }
        for name in sorted(live)
    ] + [
        {
            "tool": name,
            "standing": "no longer offered",
            "description": "",
            "arguments": [],
            "read_only": None,
        }
        for name in sorted(plug.tools.keys() - live.keys())
    ]
