"""A customer of a bench: opens a conversation, asks one question at a time, takes the times at the client.

The clock of a turn starts when the quiet window of its message closes: as long after the message was accepted as
the server's own rule says. `outside` is what is left of the time to the final message after the stages that belong
to the model, to embedding and search, and to tools.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
import yaml

from agent.domain import Incoming
from api.bench.server import SECRET
from api.door import Visit, open_visit
from api.identity import sign
from api.quiet import quiet_window
from api.settings import Settings
from tools.context import MessageId

TURN_SECONDS = 30
WARM_UP = 5
BATCH = 10
"""Questions a conversation; a fresh one keeps histories short and rate limits out of the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One turn as the customer saw it, in ms after its quiet window closed; None for what did not come."""

    seq: int
    turn: str
    status: float | None
    sentence: float | None
    message: float
    retrieval: float
    writer: float
    outside: float
    outcome: str
    handed_over: bool


async def open_customer(
    client: httpx.AsyncClient, settings: Settings, *, customer: str, language: str
) -> Visit:
    """Open a conversation of a signed customer who lets Mayak see the orders."""
    identity = sign(customer, secret=SECRET, audience=settings.identity_audience)
    visit = await open_visit(client, language="en" if language == "en" else "ru", identity=identity)
    await visit.post("/consents", {"purpose": "orders:read", "granted": True})
    return visit


async def ask_one(visit: Visit, text: str, *, quiet_ms: int) -> Asked:
    """Send one message and time what comes back. Raises `TimeoutError` after `TURN_SECONDS`.

    `quiet_ms` is the longest quiet window of the server that is asked.
    """
    last = int((await visit.get("/messages"))["event"])
    seen: dict[str, float] = {}
    watcher = asyncio.create_task(_watch(visit, last, seen))
    try:
        async with asyncio.timeout(TURN_SECONDS):
            await asyncio.sleep(0.02)
            seq = await visit.send(text)
            began = perf_counter() + window(text, quiet_ms=quiet_ms)
            await watcher
            answer = await visit.turn_after(seq)
    finally:
        watcher.cancel()
    ms = {kind: max(0.0, 1000 * (at - began)) for kind, at in seen.items()}
    return _asked(seq, answer, ms)


def window(text: str, *, quiet_ms: int) -> float:
    """Return the seconds a server waits after accepting this one message before its turn begins."""
    now = datetime.now(UTC)
    message = Incoming(id=MessageId("bench"), seq=1, key="bench", text=text, at=now)
    return quiet_window([message], None, now, longest=timedelta(milliseconds=quiet_ms))


async def _watch(visit: Visit, last: int, seen: dict[str, float]) -> None:
    async for _, kind, data in visit.events(after=last):
        at = perf_counter()
        if kind != "message":
            seen.setdefault(kind, at)
        elif data.get("author") != "customer":
            seen["answer"] = at
            return


def _asked(seq: int, answer: dict[str, Any], ms: dict[str, float]) -> Asked:
    own = sum(float(answer["ms"].get(stage, 0.0)) for stage in ("retrieval", "model", "tools"))
    whole = ms.get("answer", 0.0)
    return Asked(
        seq=seq,
        turn=str(answer["turn"]),
        status=ms.get("status"),
        sentence=ms.get("sentence"),
        message=whole,
        retrieval=float(answer["ms"].get("retrieval", 0.0)),
        writer=float(answer["ms"].get("model", 0.0)),
        outside=max(0.0, whole - own),
        outcome=str(answer["outcome"]),
        handed_over=bool(answer["handoff"]),
    )


def questions(company: Path, n: int) -> list[tuple[str, str]]:
    """Return n questions of the pack's own list with their language, with a look at an order after every fourth."""
    own = _own(company)
    mixed: list[tuple[str, str]] = []
    for i, question in enumerate(own):
        mixed.append(question)
        if i % 4 == 3:
            mixed.append(("1045-A?", question[1]))
    return [mixed[i % len(mixed)] for i in range(n)]


def documented(company: Path, n: int) -> list[tuple[str, str]]:
    """Return at most n questions of the pack's own list that a document answers, each once, with their language."""
    return list(dict.fromkeys(_own(company)))[:n]


def _own(company: Path) -> list[tuple[str, str]]:
    rows = yaml.safe_load((company / "questions.yaml").read_text("utf-8"))
    rows = rows if isinstance(rows, list) else rows["questions"]
    return [(str(row["q"]), str(row["language"])) for row in rows if row.get("document")]
