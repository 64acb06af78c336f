"""`mayak eval run | lint | new`: run a suite against the built house, check the case files, add a case."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from evals.case import Case
    from evals.measured import Measure, Measured, Setting
    from evals.run import Gate, SuiteRun

Folder = Annotated[
    Path | None, typer.Option("--cases", help="Folder of case files; default: the built-in ones.")
]
EVALDATA = Path("../shared/evaldata")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]


def run(
    ctx: typer.Context,
    suite: Annotated[str, typer.Argument(help="Suite to run, as the case files name it.")] = "smoke",
    wanted: Annotated[
        str,
        typer.Option(
            "--filter",
            help="Only cases whose id or file contains this; of injection: KIND/WRITER; of redteam: FILE_OR_ID/WRITER.",
        ),
    ] = "",
    repeats: Annotated[int, typer.Option("-k", min=1, max=100, help="Run every case so many times.")] = 1,
    cases: Folder = None,
    as_json: AsJson = False,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write an HTML report here.")] = None,
    evaldata: Annotated[
        Path, typer.Option(envvar="MAYAK_EVALDATA", help="Folder of public sets, for suites that measure.")
    ] = EVALDATA,
) -> None:
    """Run a suite and exit with 1 below its gate."""
    from evals.case import CASES, read_cases
    from evals.measured import Setting, measure_of
    from evals.measured import as_json as measured_json
    from evals.measured_report import measured_html, measured_junit, tell_measured
    from evals.report import as_html, as_junit
    from evals.report import as_json as in_json
    from evals.run import chosen, gate
    from evals.unnamed import unnamed, unnamed_misses

    measure = measure_of(suite)
    if measure is not None:
        measured = asyncio.run(
            _measured(
                measure,
                Setting(context=ctx.obj, evaldata=_there(evaldata), wanted=wanted),
                suite=suite,
                quiet=as_json,
            )
        )
        kept = unnamed_misses(measured)
        _write(junit, lambda: measured_junit(kept))
        _write(html, lambda: measured_html(kept))
        _print(measured_json(kept)) if as_json else tell_measured(measured)
        raise typer.Exit(0 if measured.ok else 1)
    picked = chosen(read_cases(cases or CASES), suite=suite, wanted=wanted)
    result = asyncio.run(_run(ctx.obj, picked, suite=suite, limits=gate(suite), repeats=repeats))
    written = unnamed(result)
    _write(junit, lambda: as_junit(written))
    _write(html, lambda: as_html(written))
    _print(in_json(written)) if as_json else _tell(result)
    raise typer.Exit(0 if result.ok else 1)


def lint(cases: Folder = None, as_json: AsJson = False) -> None:
    """Check the case files without running anything: unknown keys, repeated ids, clashing worlds, gates."""
    from evals.case import CASES, check_cases
    from evals.run import NoSuite, gate
    from evals.world import union

    found, faults = check_cases(cases or CASES)
    faults = (*faults, *union(case.world for case in found)[1])
    lines = [str(fault) for fault in faults]
    for suite in sorted({case.suite for case in found}):
        try:
            gate(suite)
        except NoSuite as ungated:
            lines.append(f"{ungated} {ungated.remedy}")
    if as_json:
        body = {"ok": not lines, "cases": len(found), "faults": lines}
        typer.echo(json.dumps(body, ensure_ascii=False, indent=2))
    else:
        typer.echo("\n".join([*lines, f"{len(found)} cases, {len(lines)} faults"]))
    raise typer.Exit(1 if lines else 0)


def new(
    ctx: typer.Context,
    case_id: Annotated[str, typer.Argument(metavar="ID", help="Lower-case words joined by hyphens.")] = "",
    says: Annotated[str, typer.Argument(help="What the customer writes.")] = "",
    why: Annotated[str, typer.Option(help="Which promise the case protects.")] = "",
    outcome: Annotated[str, typer.Option(help="The outcome to expect.")] = "answered",
    language: Annotated[str, typer.Option(help="ru or en.")] = "ru",
    customer: Annotated[str, typer.Option(help="A signed-in customer.")] = "",
    file: Annotated[str, typer.Option(help="Name of the case file, without .yaml.")] = "drafts",
    suite: Annotated[str, typer.Option(help="Suite of a new file.")] = "smoke",
    from_flag: Annotated[
        str,
        typer.Option(metavar="FLAG", help="Make the case of an answer staff flagged; into suite not_yet."),
    ] = "",
    cases: Folder = None,
) -> None:
    """Add a case to a file, or begin a file with it; refused whole when the result would not pass `lint`."""
    from evals.case import CASES
    from evals.draft import add_case
    from evals.marked import BadCases

    if from_flag:
        row: dict[str, object] = dict(_flagged(ctx.obj, from_flag))
        file, suite = "flagged" if file == "drafts" else file, "not_yet"
        case_id = str(row["id"])
    elif case_id and says and why:
        row = {"id": case_id, "language": language, "customer": customer, "says": [says]}
        row |= {"expect": {"outcome": outcome}, "why": why}
    else:
        raise typer.BadParameter("Give ID, what the customer says and --why, or --from-flag.")
    try:
        path = add_case({k: v for k, v in row.items() if v}, file=file, suite=suite, folder=cases or CASES)
    except BadCases as bad:
        typer.echo(str(bad), err=True)
        raise typer.Exit(1) from bad
    typer.echo(f"Added to {path}. Say more in `expect`, then `mayak eval run {suite} --filter {case_id}`.")


def _flagged(context: Any, flag: str) -> Mapping[str, Any]:
    from agent.flagged import NothingToSay, UnknownFlag

    async def read() -> Mapping[str, Any]:
        async with context.house() as house:
            found: Mapping[str, Any] = await house.flagged(flag)
            return found

    try:
        return asyncio.run(read())
    except (UnknownFlag, NothingToSay) as fault:
        typer.echo(f"{fault} {fault.remedy}", err=True)
        raise typer.Exit(1) from fault


async def _measured(measure: "Measure", setting: "Setting", *, suite: str, quiet: bool) -> "Measured":
    """Measure under progress bars on the error stream, one for each part the measurement tells of."""
    from evals.measured import Measured, bounds_of
    from evals.retrieval import bars

    bounds, began = bounds_of(suite), time.perf_counter()
    with bars(quiet=quiet) as bar:
        shown: dict[str, Any] = {}

        def tell(title: str, done: int, total: int) -> None:
            if title not in shown:
                shown[title] = bar(title)
            shown[title](done, total)

        findings = await measure(setting, tell)
    return Measured(suite=suite, findings=findings, bounds=bounds, seconds=time.perf_counter() - began)


def _there(folder: Path) -> Path | None:
    return folder if folder.is_dir() else None


def _write(path: Path | None, text: Callable[[], str]) -> None:
    if path is not None:
        path.write_text(text(), "utf-8")


def _print(body: Mapping[str, Any]) -> None:
    typer.echo(json.dumps(body, ensure_ascii=False, indent=2))


async def _run(
    context: Any, picked: "Sequence[Case]", *, suite: str, limits: "Gate", repeats: int
) -> "SuiteRun":
    """Open the house and run the cases under a progress bar on the error stream."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from evals.run import run_suite

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    async with context.house() as house:
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(suite, total=len(picked) * repeats)
            return await run_suite(
                house,
                picked,
                suite=suite,
                limits=limits,
                repeats=repeats,
                step=lambda done: bar.update(task, advance=1, description=done.case.id),
            )


def _tell(result: "SuiteRun") -> None:
    """Print the groups as a table, then every failure explained, then the verdict."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from evals.report import explained, groups

    console = Console(highlight=False, soft_wrap=True)
    table = Table("group", "cases", "held", title=result.suite)
    for row in groups(result):
        table.add_row(row["group"], str(row["cases"]), str(row["passed"]))
    console.print(table)
    for case_run in result.runs:
        if not case_run.ok:
            console.print(escape("\n".join(explained(case_run))) + "\n", style="red")
    verdict = "reached" if result.ok else "NOT reached"
    console.print(
        f"{len(result.passed)} of {len(result.cases)} cases held ({result.rate:.1%}); "
        f"gate {result.gate.pass_rate:.0%} {verdict}; {result.seconds:.1f} s"
    )
