"""`mayak eval`: the engineers' door."""

import typer

from evals.calibrate import calibrate
from evals.retrieval import retrieval

app = typer.Typer(name="eval", help="Measure what may ship.", no_args_is_help=True)
app.command()(retrieval)
app.command()(calibrate)
