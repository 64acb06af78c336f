"""An operator of the hand-off bench: a signed-in browser with an open list, who claims, replies and reads on."""

import asyncio
import json
import random
import re
import secrets
from collections import Counter
from time import perf_counter

from api.bench.handoff.ledger import Ledger, tokens
from api.bench.handoff.wire import client, events, persistent

ROW = re.compile(r'<a class="row [^"]*" id="row-([^"]+)"(.*?)</a>', re.S)
MARK = re.compile(r'data-mark="([0-9a-f]+)"')
FORM_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
HELD = "chip person"
REPLY = "Let me look into that. {token}"
PATIENCE_SECONDS = 30.0
"""How long an operator waits for a customer's answer before looking at another conversation."""


class Operator:
    """One browser. `work` goes on until it is cancelled."""

    def __init__(self, address: str, ledger: Ledger, *, login: str, exchanges: int, pause: float) -> None:
        self._http = client(address, Origin=address, **{"Accept-Language": "en"})
        self._ledger = ledger
        self._login = login
        self._exchanges = exchanges
        self._pause = pause
        self._form_token = ""
        self._shown = ""
        self._waiting: set[str] = set()
        self._news = asyncio.Event()
        self._read: Counter[str] = Counter()
        self._open = ""
        self._last = ""
        self._tasks: list[asyncio.Task[None]] = []

    async def arrive(self, password: str) -> None:
        """Sign in and open the list."""
        page = (await self._http.get("/console/login")).text
        form = {"form_token": _token(page), "login": self._login, "password": password}
        answer = await self._http.post("/console/login", data=form)
        if answer.status_code != 303:
            raise RuntimeError(f"{self._login} cannot sign in: HTTP {answer.status_code}")
        self._form_token = _token((await self._http.get("/console/dialogues")).text)
        self._tasks = [asyncio.create_task(self._watch()), asyncio.create_task(self._work())]

    async def leave(self) -> None:
        """Close the page. Raises what broke in it."""
        for task in self._tasks:
            task.cancel()
        for ended in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                self._ledger.errors[f"operator: {ended!r}"[:160]] += 1
        await self._http.aclose()

    async def whole(self, conversation: str) -> Counter[str]:
        """Return the tokens of a conversation as the console shows it."""
        path = f"/console/dialogues/{conversation}/part?whole=1"
        page = (await persistent(self._http, "GET", path)).text
        return tokens(page.partition("<aside")[0])

    async def _watch(self) -> None:
        while True:
            # A page that is opened on another conversation has a stream of its own.
            opened = self._open
            path = f"/console/live?show=open&open={opened}"
            async for number, kind, data in events(self._http, path, self._resuming):
                if kind == "marks":
                    self._last = number
                    await self._renew(json.loads(data))
                elif kind == "over":
                    self._ledger.errors["operator: signed out"] += 1
                    return
                if self._open != opened:
                    self._last = ""
                    break

    def _resuming(self) -> dict[str, str]:
        return {"Last-Event-ID": self._last} if self._last else {}

    async def _renew(self, marks: dict[str, str]) -> None:
        if self._open and marks["case"]:
            await self._look(self._open)
        if marks["list"] == self._shown:
            return
        part = {"known": self._shown, "show": "open", "open": self._open}
        answer = await persistent(self._http, "GET", "/console/dialogues/list", params=part)
        now = perf_counter()
        if answer.status_code != 200:
            return
        found = MARK.search(answer.text)
        self._shown = found[1] if found else ""
        rows = ROW.findall(answer.text)
        for id, _ in rows:
            if (call := self._ledger.calls.get(id)) is not None:
                call.seen.setdefault(self._login, now)
        self._waiting = {id for id, row in rows if HELD not in row or "Offered" in row}
        self._news.set()

    async def _look(self, conversation: str) -> None:
        answer = await persistent(self._http, "GET", f"/console/dialogues/{conversation}/part")
        if answer.status_code == 200:
            self._read = tokens(answer.text.partition("<aside")[0])
            self._news.set()

    async def _work(self) -> None:
        while True:
            mine = self._waiting & self._ledger.calls.keys()
            if not mine:
                await self._told(PATIENCE_SECONDS)
                continue
            await asyncio.sleep(random.uniform(0.2, 1) * self._pause)
            conversation = random.choice(sorted(mine))
            self._waiting.discard(conversation)
            if await self._claimed(conversation):
                await self._talk(conversation)

    async def _claimed(self, conversation: str) -> bool:
        form = {"form_token": self._form_token}
        answer = await persistent(self._http, "POST", f"/console/dialogues/{conversation}/claim", data=form)
        won = answer.status_code == 303
        self._ledger.claims["won" if won else "taken" if answer.status_code == 409 else "refused"] += 1
        return won

    async def _talk(self, conversation: str) -> None:
        """Reply, wait for the customer's answer, and so on; every message is known by its token."""
        self._open, self._read = conversation, Counter()
        for n in range(self._exchanges):
            before = len(self._ledger.sent[conversation])
            token = f"r-{secrets.token_hex(4)}-{n}"
            form = {"form_token": self._form_token, "key": secrets.token_hex(8)}
            form["text"] = REPLY.format(token=token)
            answer = await persistent(
                self._http, "POST", f"/console/dialogues/{conversation}/reply", data=form
            )
            if answer.status_code != 303:
                self._ledger.errors[f"reply refused: {answer.status_code}"] += 1
                break
            self._ledger.sent[conversation].add(token)
            await self._answered(conversation, more_than=before + 1)
            await asyncio.sleep(random.uniform(0.2, 1) * self._pause)
        self._open = ""

    async def _answered(self, conversation: str, *, more_than: int) -> None:
        """Wait until the open page shows a message more than the customer and this operator had sent."""
        until = perf_counter() + PATIENCE_SECONDS
        while len(self._read) <= more_than and perf_counter() < until:
            await self._told(1.0)

    async def _told(self, seconds: float) -> None:
        self._news.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return


def _token(page: str) -> str:
    found = FORM_TOKEN.search(page)
    if found is None:
        raise RuntimeError("The console's page has no form.")
    return found[1]
