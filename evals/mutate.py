"""`mayak eval mutate`: takes one protection away after another and sees whether the suites notice.

```
each run of a suite, no fault ─► must hold, or nothing it says counts
each fault ─► its runs, each in a fresh process ─┬─ one does not hold ─► caught
                                                 └─ all hold ─────────► survived
```
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import typer

from evals.faulty import FAULTS, NONE, Fault

Run = tuple[str, ...]
Holds = Callable[[str, Run], bool]
"""Whether a run of a suite holds under a fault."""


class BrokenRun(Exception):
    """A run ended without saying whether it holds; `remedy` says what to do."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def mutate(
    only: Annotated[str, typer.Option(help="Only faults whose name contains this.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
) -> None:
    """Run the suites with one protection after another taken away; exit with 1 when a fault survives."""
    from evals.retrieval import bars

    faults = {name: fault for name, fault in FAULTS.items() if only in name}
    with bars(quiet=as_json) as bar:
        told = verdicts(faults, holds=in_fresh_process, tell=bar("Faults"))
    typer.echo(json.dumps(told, ensure_ascii=False, indent=2) if as_json else _words(told, faults))
    raise typer.Exit(0 if not told["survived"] and not told["broken"] else 1)


def verdicts(
    faults: Mapping[str, Fault], *, holds: Holds, tell: Callable[[int, int], None] = lambda done, total: None
) -> dict[str, Any]:
    """Return how many faults there are, how many were caught and by what, and which survived.

    `broken` are the runs that fail without any fault: they catch nothing.
    """
    sound: dict[Run, bool] = {}
    caught: dict[str, str] = {}
    for n, (name, fault) in enumerate(faults.items(), start=1):
        for run in fault.runs:
            if run not in sound:
                sound[run] = holds(NONE, run)
            if sound[run] and not holds(name, run):
                caught[name] = " ".join(run)
                break
        tell(n, len(faults))
    return {
        "faults": len(faults),
        "caught": len(caught),
        "survived": [name for name in faults if name not in caught],
        "by": caught,
        "broken": [" ".join(run) for run, fine in sound.items() if not fine],
    }


def in_fresh_process(fault: str, run: Run) -> bool:
    """Run a suite in a process of its own under a fault. Raises `BrokenRun` when it tells nothing."""
    command = [sys.executable, "-m", "evals.faulty", fault, "eval", "run", *run, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        told = json.loads(done.stdout)
    except ValueError:
        told = {}
    if done.returncode not in (0, 1) or "ok" not in told:
        raise BrokenRun(
            f"{' '.join(run)} under {fault} said nothing: {_last(done.stderr)}",
            remedy=f"Run it by itself: python -m evals.faulty {fault} eval run {' '.join(run)}",
        )
    return bool(told["ok"])


def _last(text: str) -> str:
    lines: Sequence[str] = text.strip().splitlines()
    return lines[-1] if lines else "no reason given"


def _words(told: Mapping[str, Any], faults: Mapping[str, Fault]) -> str:
    lines = [f"{told['caught']} of {told['faults']} faults caught."]
    lines += [f"  {name}: {faults[name].what}; caught by {run}" for name, run in told["by"].items()]
    lines += [f"  SURVIVED {name}: {faults[name].what}" for name in told["survived"]]
    lines += [f"  fails without any fault: {run}" for run in told["broken"]]
    return "\n".join(lines)
