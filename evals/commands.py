"""`mayak eval`: the engineers' door."""

import typer

from evals.approved import approved
from evals.calibrate import calibrate
from evals.confirmed import confirmed
from evals.conflicts import conflicts
from evals.disclosure.command import disclosure
from evals.grounding import grounding
from evals.intents import intents
from evals.mutate import mutate
from evals.pii.command import pii
from evals.recorded import recorded
from evals.retrieval import retrieval
from evals.run_command import lint, new, run
from evals.tau.command import tools

app = typer.Typer(name="eval", help="Measure what may ship.", no_args_is_help=True)
for command in (
    run,
    lint,
    new,
    retrieval,
    calibrate,
    intents,
    confirmed,
    conflicts,
    disclosure,
    grounding,
    approved,
    pii,
    recorded,
    tools,
    mutate,
):
    app.command()(command)
