"""`mayak doctor`: is this installation able to work, and what to do where it is not."""

import asyncio
import json
from typing import Annotated

import typer


def doctor(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check settings, company pack, database, embedder, index and model; exit code 1 when one fails."""
    from api.health import examine

    findings = asyncio.run(examine(ctx.obj.settings()))
    if as_json:
        typer.echo(json.dumps([finding.as_dict() for finding in findings], ensure_ascii=False, indent=2))
    else:
        for finding in findings:
            mark = typer.style("ok  ", fg="green") if finding.ok else typer.style("FAIL", fg="red")
            typer.echo(f"{mark}  {finding.name:<12} {finding.detail}")
            if not finding.ok:
                typer.echo(f"      What to do: {finding.remedy}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)
