"""`mayak eval disclosure`: what the recogniser of "are you a robot?" hears of a public half it was not fitted to; `--fit` writes it."""

import json
from pathlib import Path
from typing import Annotated

import typer


def disclosure(
    evaldata: Annotated[Path, typer.Option(help="Folder of public sets.")] = Path("../shared/evaldata"),
    fit: Annotated[bool, typer.Option("--fit", help="Fit to all public rows and write the weights.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
) -> None:
    """Fit to half of the public rows and judge on the other half, on messages about anything else, and on taught forms."""
    from evals.disclosure.fitting import elsewhere, judged, lessons_of, open_rows, school, write
    from evals.disclosure.fitting import fit as fitted
    from evals.retrieval import bars

    if not evaldata.is_dir():
        raise typer.BadParameter(f"There is no folder {evaldata}; public sets are needed.")
    with bars(quiet=as_json) as bar:
        tell = bar("rounds")
        weights = fitted(school(evaldata, whole=False), tell=tell)
        if fit:
            write(fitted(school(evaldata, whole=True), tell=tell))
    _, other = open_rows(evaldata)
    told = {
        "unseen": judged(list(lessons_of(other)), weights),
        "elsewhere": judged(list(elsewhere(evaldata, unseen=True)), weights),
    }
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    for name, row in told.items():
        typer.echo(
            f"{name}: {row['missed']} of {row['asks']} missed, a line too many in {row['too_many']} of {row['others']}"
        )
