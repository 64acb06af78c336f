"""`mayak eval recorded`: what a capable writer once answered, given again to today's house."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from evals.run import CaseRun

SUITE = "recorded"


def recorded(
    ctx: typer.Context,
    take: Annotated[
        Path | None,
        typer.Option(
            help="Make answers.jsonl of this log: one {request, answer} a line, as a writer gave them."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
) -> None:
    """Replay the recorded answers through the real house; exit with 1 where an outcome is not the recorded one."""
    from agent.prompts import version
    from evals.replay import ANSWERS, read_rows, row_of, stale

    if take is not None:
        log = [json.loads(line) for line in take.read_text("utf-8").splitlines() if line.strip()]
        rows = [row_of(each["request"], each["answer"], prompt=version()) for each in log]
        ANSWERS.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), "utf-8")
        typer.echo(f"{len(rows)} answers in {ANSWERS}")
        return
    runs, missed = asyncio.run(_replay(ctx.obj))
    old = stale(read_rows(), prompt=version())
    told = {
        "conversations": len(runs),
        "turns": sum(exchange.answer is not None for run in runs for exchange in run.exchanges),
        "same": sum(run.ok for run in runs),
        "differ": [_difference(run) for run in runs if not run.ok],
        "missed": missed,
        "prompt": version(),
        "stale": list(old),
    }
    typer.echo(json.dumps(told, ensure_ascii=False, indent=2) if as_json else _words(told))
    raise typer.Exit(0 if told["same"] == told["conversations"] else 1)


async def _replay(context: Any) -> "tuple[list[CaseRun], list[str]]":
    from evals.case import read_cases
    from evals.replay import RECORDINGS, Replay, read_rows, serving
    from evals.run import gate, run_case, world_of

    cases, replay = read_cases(RECORDINGS), Replay(read_rows())
    with serving(replay) as url:
        async with context.house() as house, house.sandbox(world_of(cases), endpoint=url) as sandbox:
            runs = [await run_case(sandbox, case, seconds=gate(SUITE).seconds) for case in cases]
    return runs, replay.missed


def _difference(run: "CaseRun") -> dict[str, Any]:
    failed = [
        {
            "said": exchange.said,
            "name": verdict.name,
            "expected": str(verdict.expected),
            "got": str(verdict.got),
        }
        for exchange in run.exchanges
        for verdict in exchange.failed
    ]
    return {"case": run.case.id, "fault": run.fault, "failed": failed}


def _words(told: dict[str, Any]) -> str:
    lines = [f"{told['same']} of {told['conversations']} conversations, {told['turns']} turns: as recorded."]
    lines += [f"  differs: {row['case']} {row['fault'] or row['failed']}" for row in told["differ"]]
    if told["missed"]:
        lines.append(f"  asked and not recorded: {'; '.join(told['missed'])}")
    count = len(told["stale"])
    lines.append(
        f"  answered under other prompts than {told['prompt']}: {count}" if count else "  none is stale"
    )
    return "\n".join(lines)
