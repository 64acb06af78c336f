"""How search grows: corpora of several sizes, each in an empty data folder of its own, and the curve through them.

```
for each size ─► import half ─► ask half (see fill.py; processes of their own) ─► one row
rows ─► a power law for each cost ─► the estimate for a million passages
```
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from api.bench.corpus import BadCorpus
from api.bench.figures import curve
from api.bench.fill import Job
from api.bench.process import machine
from api.container import embedders
from api.settings import Settings

FAR = 1_000_000
COSTS: Mapping[str, str] = {
    "import_s": "import, s",
    "import_cpu_s": "import, CPU s",
    "open_s": "opening, s",
    "open_cpu_s": "opening, CPU s",
    "search_ms.p50": "search p50, ms",
    "search_ms.p95": "search p95, ms",
    "search_cpu_ms.p50": "search p50, CPU ms",
    "beyond_embedding_ms.p50": "search without embedding p50, ms",
    "corpus_mib": "memory of the corpus, MiB",
    "disk_mib": "disk, MiB",
    "edit_published_ms.p50": "publishing one edited document, ms",
}
"""What a curve is fitted to, by its place in a row."""
_SHOWN = (
    "documents",
    "import_s",
    "import_cpu_s",
    "passages_per_s",
    "throughput_of_embedder",
    "throughput_of_embedder_cpu",
    "reimport_s",
    "reimport_times",
    "open_s",
    "open_cpu_s",
    "hit@1",
    "search_ms",
    "search_cpu_ms",
    "embedding_ms",
    "search_to_embedding_p50",
    "search_to_embedding_p95",
    "resident_mib",
    "corpus_mib",
    "disk_sql_mib",
    "disk_index_mib",
    "edit_published_ms",
)


class BenchFailed(Exception):
    """A part of the bench ended early; `remedy` says where to look."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def bench_search(
    settings: Settings,
    *,
    sizes: Sequence[int],
    embedder: str = "",
    corpora: Sequence[Path] = (),
    mixed: int = 0,
) -> dict[str, Any]:
    """Measure every size and return `rows`, `growth` and where the time of a search goes.

    With `mixed` only so many texts go through each embedder: see `api.bench.mixed`.
    Raises `BadSetting` for an unknown embedder, `BenchFailed` when a half fails.
    """
    name = embedder or settings.embedder
    for path in corpora:
        if not path.is_file():
            raise BadCorpus(f"There is no file {path}.", remedy="Check --corpus.")
    embedders(Job(**_common(settings, name, corpora), folder=Path(), passages=0).settings())
    screen = Console(stderr=True)
    rows: list[dict[str, Any]] = []
    for size in sorted(sizes):
        screen.print(f"{size:,} passages")
        with tempfile.TemporaryDirectory(prefix="mayak-growth-") as folder:
            job = Job(**_common(settings, name, corpora), folder=Path(folder), passages=size, mixed=mixed)
            row = {"wanted": size, **_half("import", job), **_half("ask", job)}
        row["corpus_mib"] = row["resident_mib"] - row["resident_without_corpus_mib"]
        row["disk_mib"] = round(row["disk_sql_mib"] + row["disk_index_mib"], 1)
        rows.append(row)
    text = [path.name for path in corpora] or [f"{settings.company.name}/knowledge"]
    return {
        "machine": machine(),
        "embedder": name,
        "mixed": mixed,
        "corpus": text,
        "rows": rows,
        "growth": growth(rows, mixed=mixed),
    }


def costs(*, mixed: int) -> dict[str, str]:
    """Return place and title of what has a curve; an import of mixed vectors costs mostly the few real ones."""
    return {place: title for place, title in COSTS.items() if not (mixed and place.startswith("import_"))}


def growth(rows: Sequence[Mapping[str, Any]], *, mixed: int = 0) -> dict[str, dict[str, float]]:
    """Return, for each cost, the exponent over all sizes, over the last two, and the estimate for a million.

    The estimate carries the last two sizes on: fixed costs hide the growth of small ones. Costs without a curve, such
    as those of one size alone, are left out.
    """
    out: dict[str, dict[str, float]] = {}
    for place in costs(mixed=mixed):
        fitted = curve({int(row["passages"]): value(row, place) for row in rows})
        if fitted is not None:
            out[place] = {
                "exponent": round(fitted.exponent, 2),
                "exponent_at_the_end": round(fitted.tail, 2),
                f"at_{FAR}": float(f"{fitted.at(FAR):.3g}"),
            }
    return out


def value(row: Mapping[str, Any], place: str) -> float:
    """Return the number at a place such as `search_ms.p50`; 0 where there is none."""
    name, _, inner = place.partition(".")
    found = row.get(name, 0.0)
    return float(found.get(inner, 0.0) if inner and isinstance(found, Mapping) else found or 0.0)


def search_table(figures: Mapping[str, Any]) -> str:
    """Return the figures for a terminal: a column a size, then the curves, then the stages."""
    rows = figures["rows"]
    lines = [f"{figures['machine']}; {figures['embedder']}; {', '.join(figures['corpus'])}"]
    if figures["mixed"]:
        lines.append(f"vectors of all but {figures['mixed']:,} texts are mixed: hits mean nothing")
    lines.append(f"{'passages':<36}" + "".join(f"{row['passages']:>16,}" for row in rows))
    for name in _SHOWN:
        lines.append(f"{name:<36}" + "".join(f"{_cell(row[name]):>16}" for row in rows))
    lines += ["", f"{'cost ~ passages ^ exponent':<36}{'all sizes':>12}{'last two':>12}{'at 1,000,000':>16}"]
    for place, curves in figures["growth"].items():
        end, far = curves["exponent_at_the_end"], curves[f"at_{FAR}"]
        lines.append(f"{COSTS[place]:<36}{curves['exponent']:>12}{end:>12}{far:>16,.6g}")
    for row in rows:
        lines += ["", f"where a search goes at {row['passages']:,} passages, ms (share)"]
        lines += [
            f"{stage:<36}{part['ms']:>10.2f}  ({part['share']:.0%})"
            for stage, part in row["stages"].items()
            if part["share"] >= 0.005
        ]
    return "\n".join(lines)


def _cell(found: Any) -> str:
    if isinstance(found, Mapping):
        return " / ".join(f"{found[name]:g}" for name in ("p50", "p95") if name in found) or "–"
    return f"{found:,}" if isinstance(found, int) else f"{found:,g}"


def _common(settings: Settings, embedder: str, corpora: Sequence[Path]) -> dict[str, Any]:
    return {
        "embedder": embedder,
        "corpora": tuple(path.resolve() for path in corpora),
        "company": settings.company.resolve(),
    }


def _half(name: str, job: Job) -> dict[str, Any]:
    """Run one half in a process of its own; its progress and its last words go to this one's stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "api.bench.fill", name],
        input=job.to_json(),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BenchFailed(
            f"The {name} half at {job.passages:,} passages ended with code {done.returncode}.",
            remedy="Its error is printed above.",
        )
    return dict(json.loads(done.stdout.splitlines()[-1]))
