"""The growth of search as a picture. The only importer of matplotlib, which the extra `bench` installs."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from api.bench.search import FAR, BenchFailed, costs, value

_COLUMNS = 5
_INK, _SEA = "#14213D", "#0B5FA5"


def check_plot(path: Path) -> None:
    """Raise `BenchFailed` when the picture could not be drawn later: better before the measuring than after."""
    if find_spec("matplotlib") is None:
        raise BenchFailed(
            "--plot needs matplotlib, which is not installed.",
            remedy='Run `pip install -c constraints.txt -e ".[bench]"`, or leave --plot out.',
        )
    if not path.resolve().parent.is_dir():
        raise BenchFailed(f"There is no folder {path.resolve().parent}.", remedy="Make it, or change --plot.")


def draw(figures: Mapping[str, Any], path: Path) -> None:
    """Write the picture, by its suffix PNG, SVG or PDF: one log-log field a cost, measured dots, the estimate hollow."""
    from matplotlib.figure import Figure

    fields = costs(mixed=figures["mixed"])
    lines = -(-len(fields) // _COLUMNS)
    picture = Figure(figsize=(3.4 * _COLUMNS, 3.0 * lines), layout="constrained")
    picture.suptitle(f"{figures['embedder']} · {figures['machine']}", color=_INK, fontsize=10)
    for n, (place, title) in enumerate(fields.items(), start=1):
        field = picture.add_subplot(lines, _COLUMNS, n)
        field.set_title(title, color=_INK, fontsize=10)
        points = [(row["passages"], value(row, place)) for row in figures["rows"]]
        points = [(size, cost) for size, cost in points if cost > 0]
        if points:
            sizes, measured = zip(*points, strict=True)
            field.loglog(sizes, measured, "o-", color=_SEA)
        fitted = figures["growth"].get(place)
        if fitted and points:
            far = fitted[f"at_{FAR}"]
            field.loglog([points[-1][0], FAR], [points[-1][1], far], "--", color=_SEA, zorder=1)
            field.loglog([FAR], [far], "o", color=_SEA, mfc="white")
            field.text(0.05, 0.9, f"n^{fitted['exponent_at_the_end']}", transform=field.transAxes, color=_INK)
        field.grid(visible=True, which="major", alpha=0.25)
        field.set_xlabel("passages", fontsize=8)
    picture.savefig(path, dpi=80)
