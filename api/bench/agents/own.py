"""Mayak in this process, whole: inbox, durable turn, checks, records, event stream; only the socket is left out."""

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from agent.domain import Action, Reply
from api.bench.agents.port import Agent, Job
from api.opened import Opened
from api.routes.events import follow
from api.settings import Settings
from tools.context import ConversationId


class Own:
    """Conversations are read through the stream a customer has; one that a person was called to goes on with Mayak."""

    def __init__(self, house: Opened) -> None:
        self._house = house
        self._talks: dict[str, ConversationId] = {}
        self._heard: dict[ConversationId, int] = {}

    async def begin(self, talk: str, *, language: str) -> None:
        records = self._house.building.records
        opened = await records.open_conversation(
            channel="api", language="en" if language == "en" else "ru", disclosure=Reply(text="…")
        )
        self._talks[talk] = opened.id
        self._heard[opened.id] = await records.last_event(opened.id)

    async def answer(self, question: str, *, talk: str) -> str:
        said, waits = await self._said(self._talks[talk], text=question)
        if waits:
            # Whoever waits for a person gets no more answers; a customer who asks on has pressed this button.
            await self._said(self._talks[talk], action=Action(kind="ai"))
        return said

    async def _said(
        self, conversation: ConversationId, *, text: str = "", action: Action | None = None
    ) -> tuple[str, bool]:
        """Send one message; return the reply, and whether the conversation waits for a person now."""
        await self._house.building.records.accept(
            conversation, key=secrets.token_urlsafe(12), text=text, action=action, label="…"
        )
        self._house.worker.wake(conversation)
        async for events in _events(self._house, conversation, self._heard[conversation]):
            self._heard[conversation] = max(number for number, _, _ in events)
            replies = [data for _, kind, data in events if kind == "message" and data["author"] != "customer"]
            holders = [data["holder"] for _, kind, data in events if kind == "handoff"]
            if replies:
                return str(replies[-1]["text"]), bool(holders) and holders[-1] != "ai"
        return "", False


async def _events(
    house: Opened, conversation: ConversationId, after: int
) -> AsyncIterator[list[tuple[int, str, dict[str, Any]]]]:
    """Follow the conversation's numbered events: those of one commit at a time."""
    async for frames in follow(house, conversation, after):
        events = []
        for frame in frames.decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in frame.splitlines() if ": " in line)
            if "id" in fields:
                events.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
        if events:
            yield events


@asynccontextmanager
async def own_agent(job: Job) -> AsyncIterator[Agent]:
    """Start the application on the job's prepared data folder."""
    from api.serving import started

    settings = Settings(
        company=job.company,
        data=job.data,
        embedder=job.embedder,
        model="openai:stub",
        model_url=job.url,
        model_external=False,
        model_timeout=120.0,
        identity_secret=secrets.token_hex(32),
        quiet_ms=0,
        sender="outbox",
    )
    async with started(settings) as app:
        yield Own(app.state.opened)
