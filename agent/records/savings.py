"""What approved answers spared: how many answers needed no model, and what such answers of models cost. Reads only.

What was spared is what was not spent, so it is reckoned: each approved answer stands for the mean of the answers that a
remote model wrote from documents in the same days. Where none was written, or no price is known, nothing is claimed.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from agent.records.tables import charges, turns

LOCAL = "extractive"
APPROVED = "approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Savings:
    """`answered` turns ended with an answer from documents, `approved` of them without a model.

    `comparable` are the answers of remote models the means are of; `calls`, `tokens` and `usd` (US dollars) are what
    the approved ones would have come to, None where that is not known.
    """

    answered: int
    approved: int
    comparable: int
    calls: float | None
    tokens: float | None
    usd: float | None

    @property
    def share(self) -> float | None:
        """Share of the answers that needed no model, 0..1; None where nothing was answered."""
        return self.approved / self.answered if self.answered else None

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON types."""
        return {**asdict(self), "share": None if self.share is None else round(self.share, 4)}


async def savings(engine: AsyncEngine, *, since: datetime) -> Savings:
    """Reckon what approved answers spared since a moment."""
    path = turns.c.record["path"].as_string()
    ended = (turns.c.outcome == "answered", turns.c.closed >= since)
    counted = select(path, func.count()).where(*ended, path.in_((APPROVED, "model"))).group_by(path)
    spent = (
        select(
            charges.c.turn,
            func.count().label("calls"),
            func.sum(charges.c.prompt + charges.c.completion).label("tokens"),
            func.sum(charges.c.usd).label("usd"),
        )
        .group_by(charges.c.turn)
        .subquery()
    )
    # An answer with tools costs more calls than the documents alone would have taken.
    alike = (
        *ended,
        path == "model",
        turns.c.model != LOCAL,
        turns.c.record["tools"][0]["name"].as_string().is_(None),
    )
    means = (
        select(func.count(), func.avg(spent.c.calls), func.avg(spent.c.tokens), func.avg(spent.c.usd))
        .select_from(turns)
        .join(spent, spent.c.turn == turns.c.id)
        .where(*alike)
    )
    async with engine.connect() as connection:
        found = {way: int(count) for way, count in (await connection.execute(counted)).all()}
        number, calls, tokens, usd = (await connection.execute(means)).one()
    approved = found.get(APPROVED, 0)

    def spared(mean: Any) -> float | None:
        return None if not number or not mean else round(float(mean) * approved, 4)

    return Savings(
        answered=sum(found.values()),
        approved=approved,
        comparable=int(number),
        calls=spared(calls),
        tokens=spared(tokens),
        usd=spared(usd),
    )
