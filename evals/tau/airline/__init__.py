"""An airline as a benchmark knows it: its own book, its own tools, and a facade of the official calls.

port.py  what it knows and what a traveller may wish · rules.py  what is allowed and what it costs (pure)
tables.py rows.py store.py  the book in SQL · functions.py texts/  Mayak's tools over it
official.py facade.py  the official form and the official calls, here and nowhere else
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from evals.tau.airline import official, tables
from evals.tau.airline.facade import AirlineWorld
from evals.tau.airline.functions import PURPOSES, airline_tools
from evals.tau.airline.rules import Series
from evals.tau.airline.store import SqlAirline
from evals.tau.desk import Desk
from evals.tau.domain import Json
from evals.tau.filled import Filled
from tools.toolbox import Toolbox

TODAY = datetime(2024, 5, 15, 15, tzinfo=timezone(timedelta(hours=-5)))
"""The moment at which the official airline stands still."""

SERIES = Series(
    bookings=("HATHAT", "HATHAU", "HATHAV"),
    certificates=("certificate_3221322", "certificate_3221323", "certificate_3221324"),
)
"""Numbers the official airline gives out, three of a kind in a run."""

_FILLED = Filled(tables.metadata, official.fill)


@dataclass(frozen=True, slots=True, kw_only=True)
class AirlineDomain:
    """The business of flights; nothing in its calls verifies anybody."""

    name: str = "airline"
    verifies: frozenset[str] = frozenset()

    async def open(self, database: Mapping[str, Json], *, folder: Path) -> AirlineWorld:
        """Return a new world in `folder`; `BadRecords` for a database that is not the airline's."""
        engine = await _FILLED.engine(folder / "airline.db", database)
        airline = SqlAirline(engine, series=SERIES, now=lambda: TODAY)
        toolbox = Toolbox(airline_tools(airline))
        return AirlineWorld(
            airline=airline,
            desk=Desk(toolbox, purposes=PURPOSES, now=lambda: TODAY),
            engine=engine,
            owners=_owners(database),
        )


def _owners(database: Mapping[str, Any]) -> Mapping[str, str]:
    """Return whose each user id and each booking number is."""
    mine = {user: user for user in database["users"]}
    return {number: booking["user_id"] for number, booking in database["reservations"].items()} | mine


AIRLINE = AirlineDomain()
