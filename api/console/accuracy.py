"""How far answers can be trusted: the promise, what it rests on, and the curves of the calibration in use."""

from datetime import timedelta

from fastapi import APIRouter, Response

from agent.confidence import NEVER
from agent.curves import Line, Plot, at_coverages, reliability, risk_coverage
from agent.records.flags import Flags
from agent.records.suggestions import SqlSuggestions
from api.console.page import PageRoute
from api.console.visit import Curator, Visit

FLAGGED_DAYS = 30
DAYS = 30
"""Suggested answers of so many days are counted."""

router = APIRouter(prefix="/console/accuracy", route_class=PageRoute)


@router.get("")
async def accuracy(visit: Curator) -> Response:
    """The page; it reads the calibration this server answers with."""
    building = visit.house.building
    calibration, promise = building.turn.calibration, building.pack.promise
    accept = calibration.accept(promise)
    bins, sent = reliability(calibration.cases), risk_coverage(calibration.cases)
    return visit.page(
        "accuracy.html",
        promise=promise,
        accept=None if accept >= NEVER else accept,
        by_hand=calibration.by_hand is not None,
        fitted=calibration.fitted,
        weights=sorted(calibration.weights.items(), key=lambda one: -one[1]),
        days=DAYS,
        suggestions=await SqlSuggestions(building.engine).figures(
            since=building.clock.now() - timedelta(days=DAYS)
        ),
        judged=len(calibration.cases),
        bins=bins,
        sent=at_coverages(sent),
        reliable=_plot(
            visit, "reliability", "confidence", "right", [(one.confidence, one.right) for one in bins]
        ),
        risky=_plot(visit, "risk", "coverage", "wrong", [(one.coverage, one.risk) for one in sent]),
        flagged=await Flags(building.engine).figures(
            since=building.clock.now() - timedelta(days=FLAGGED_DAYS)
        ),
        flagged_days=FLAGGED_DAYS,
        number=lambda value, places=2: _number(visit, value, places),
    )


def _plot(visit: Visit, title: str, x: str, y: str, points: list[tuple[float, float]]) -> Plot:
    name, across, up = (visit.say(f"accuracy.{key}") for key in (title, x, y))
    line = Line(name=up, points=tuple(points))
    return Plot(title=name, x=across, y=up, lines=(line,), diagonal=title == "reliability")


def _number(visit: Visit, value: float, places: int) -> str:
    text = f"{value:.{places}f}"
    return text.replace(".", ",") if visit.language == "ru" else text
