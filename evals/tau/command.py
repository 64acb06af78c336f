"""`mayak eval tools`: recorded calls of a business done again on Mayak's own tools."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evals.retrieval import bars, faults

if TYPE_CHECKING:
    from evals.tau.replay import Replayed
    from evals.tau.traces import Outcome

_SHOWN = 20
_WIDTH = 160


def tools(
    domain: Annotated[str, typer.Option(help="retail, airline or banking_knowledge.")],
    db: Annotated[Path, typer.Option(help="The database before the first step, one JSON object.")],
    traces: Annotated[
        Path, typer.Option(help="Lines of {task_id, steps: [{name, arguments, result? | error?}]}.")
    ],
    tasks: Annotated[
        Path | None,
        typer.Option(
            help="Lines of {id, initial_state}; without it, tasks….jsonl beside gold_traces….jsonl."
        ),
    ] = None,
    results: Annotated[
        Path | None, typer.Option(help="Write {task_id, results, final_db_sha256} lines here.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Replay recorded calls as their customer, each trace on a fresh copy of the database, and compare.

    Steps that differ are counted, not an error; the exit code is 1 when a line or a call could not be read.
    """
    from evals.tau.registry import domain as known
    from evals.tau.replay import figures, replay_all
    from evals.tau.traces import read_database, read_initial, read_traces, tasks_beside

    with faults(as_json=as_json), bars(quiet=as_json) as bar:
        business, database = known(domain), read_database(db)
        begun = tasks or tasks_beside(traces)
        recorded = read_traces(traces, initial=read_initial(begun) if begun else None)
        done = asyncio.run(replay_all(business, database, recorded.traces, tell=bar("Replaying")))
    if results is not None:
        rows = (json.dumps(one.as_row(), ensure_ascii=False) for one in done)
        results.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    told = figures(done)
    typer.echo(json.dumps(told)) if as_json else _show(told, done)
    broken = [(fault.message, fault.remedy) for fault in recorded.faults]
    broken += [
        (f"{traces.name}:{one.trace.line}, {what}", "Mend the recording, or add the tool to the domain.")
        for one in done
        for what in one.unplayable
    ]
    for message, remedy in broken:
        typer.secho(f"Error: {message}", fg="red", err=True)
        typer.echo(f"What to do: {remedy}", err=True)
    if broken:
        raise typer.Exit(1)


def _show(told: dict[str, int], done: "Sequence[Replayed]") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table("figure", "value")
    for name, value in told.items():
        table.add_row(name, str(value))
    console.print(table)
    misses = [(one, miss) for one in done for miss in one.misses]
    for one, miss in misses[:_SHOWN]:
        arguments = _short(json.dumps(miss.call.arguments, ensure_ascii=False))
        console.print(
            f"task {one.trace.task_id}, step {miss.n}: {miss.call.name} {arguments}",
            markup=False,
            soft_wrap=True,
        )
        console.print(f"  recorded: {_told(miss.wanted)}", markup=False, soft_wrap=True)
        console.print(f"  now:      {_told(miss.got)}", markup=False, soft_wrap=True)
    if len(misses) > _SHOWN:
        console.print(f"… and {len(misses) - _SHOWN} steps more")
    for one in done:
        if one.final_ok is False:
            console.print(f"task {one.trace.task_id}: the database ends otherwise", markup=False)
        if one.cross_customer:
            console.print(f"task {one.trace.task_id}: two customers in one trace", markup=False)


def _told(outcome: "Outcome") -> str:
    said = outcome.value if outcome.refused else json.dumps(outcome.value, ensure_ascii=False, sort_keys=True)
    return _short(f"error {said}" if outcome.refused else str(said))


def _short(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}…"
