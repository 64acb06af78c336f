"""Rows of the list, drawn once for all open pages that show them alike: a change draws one row anew, not a hundred."""

from collections.abc import Callable, Hashable, Sequence
from time import monotonic

from fastapi import FastAPI
from markupsafe import Markup

from api.console.cases import Row
from api.console.inbox import Choice
from api.console.visit import Visit
from tools.context import ConversationId

KEPT_SECONDS = 30.0
"""After so long every row is drawn anew: no words of a customer stay behind in memory."""


class Drawings:
    """The rows drawn in the last half minute, by everything they show."""

    def __init__(self, *, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._since = now()
        self._kept: dict[Hashable, Markup] = {}

    def rows(
        self, visit: Visit, rows: Sequence[Row], *, choice: Choice, open: ConversationId
    ) -> list[Markup]:
        """Return the rows as they stand in this person's list."""
        if self._now() - self._since >= KEPT_SECONDS:
            self._kept.clear()
            self._since = self._now()
        today = visit.house.building.clock.now().date()
        found = []
        for row in rows:
            # All of the row: a part that is drawn and was forgotten here would stand there out of date.
            key = (repr(row), row.line.conversation.id == open, choice, visit.language, today)
            if key not in self._kept:
                self._kept[key] = _drawn(visit, row, choice=choice, open=open)
            found.append(self._kept[key])
        return found


def drawings_of(app: FastAPI) -> Drawings:
    """Return the drawings of an application."""
    if not hasattr(app.state, "console_drawings"):
        app.state.console_drawings = Drawings()
    found: Drawings = app.state.console_drawings
    return found


def _drawn(visit: Visit, row: Row, *, choice: Choice, open: ConversationId) -> Markup:
    page = visit.page("_row.html", row=row, shelf=choice.shelf, within=choice.within, open_id=open)
    return Markup(bytes(page.body).decode())
