"""A customer of the hand-off bench: calls for a person by button or in words, then answers each of the person's messages."""

import asyncio
import json
import secrets
from collections import Counter
from time import perf_counter
from typing import Any

import httpx

from api.bench.handoff.ledger import Call, Ledger, tokens
from api.bench.handoff.wire import client, events, persistent

WORDS = "I want to talk to a person, please. {token}"
ANSWER = "Thank you, one more thing. {token}"


class Customer:
    """One conversation. `done` is set when it has had all its exchanges with a person."""

    def __init__(self, address: str, ledger: Ledger, *, n: int, exchanges: int) -> None:
        self._http = client(address)
        self._ledger = ledger
        self._button = n % 2 == 0
        self._exchanges = exchanges
        self._answered = 0
        self._last = ""
        self._greeted = asyncio.Event()
        self._following: asyncio.Task[None] | None = None
        self.done = asyncio.Event()
        self.id = ""

    async def arrive(self) -> None:
        """Open the conversation and its stream; return when the stream works."""
        opened = (await persistent(self._http, "POST", "/v1/conversations", json={"language": "en"})).json()
        self.id = opened["id"]
        self._http.headers["Authorization"] = f"Bearer {opened['token']}"
        self._ledger.sent[self.id] = set()
        self._ledger.heard[self.id] = Counter()
        self._following = asyncio.create_task(self._follow())
        await self._greeted.wait()

    async def call(self) -> None:
        """Call for a person."""
        call = Call(conversation=self.id, way="button" if self._button else "words")
        self._ledger.calls[self.id] = call
        call.asked = perf_counter()
        if self._button:
            await self._send({"action": {"kind": "person"}})
        else:
            await self._say(WORDS)

    async def leave(self) -> None:
        """Close the stream."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await self._http.aclose()

    async def transcript(self) -> Counter[str]:
        """Return the tokens of the transcript as the customer's own screen reads it."""
        answer = await persistent(self._http, "GET", f"/v1/conversations/{self.id}/messages")
        return tokens("\n".join(str(one["text"]) for one in answer.json()["messages"]))

    async def _say(self, words: str) -> None:
        token = f"c-{secrets.token_hex(4)}-{self._answered}"
        if await self._send({"text": words.format(token=token)}):
            self._ledger.sent[self.id].add(token)

    async def _send(self, body: dict[str, Any]) -> bool:
        path = f"/v1/conversations/{self.id}/messages"
        answer = await persistent(self._http, "POST", path, json={"key": secrets.token_urlsafe(12), **body})
        if answer.status_code != 202:
            self._ledger.errors[f"message refused: {answer.status_code}"] += 1
        return answer.status_code == 202

    async def _follow(self) -> None:
        path = f"/v1/conversations/{self.id}/events"
        answering: set[asyncio.Task[None]] = set()
        async for number, kind, data in events(self._http, path, self._resuming):
            self._last = number or self._last
            if kind != "message":
                continue
            message = json.loads(data)
            self._ledger.heard[self.id][int(message["seq"])] += 1
            self._greeted.set()
            if message["author"] == "person" and tokens(message["text"]):
                task = asyncio.create_task(self._answer())
                answering.add(task)
                task.add_done_callback(answering.discard)
            elif message["author"] in ("ai", "system"):
                self._told()

    def _resuming(self) -> dict[str, str]:
        return {"Last-Event-ID": self._last} if self._last else {}

    def _told(self) -> None:
        call = self._ledger.calls.get(self.id)
        if call is not None and not call.told:
            call.told = perf_counter()

    async def _answer(self) -> None:
        self._answered += 1
        try:
            await self._say(ANSWER)
        except httpx.HTTPError as fault:
            self._ledger.errors[f"customer: {fault!r}"[:120]] += 1
        if self._answered >= self._exchanges:
            self.done.set()
