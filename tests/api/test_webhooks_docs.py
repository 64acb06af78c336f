"""The receiver in docs/webhooks.md is run as it stands there, and the page names every event and only such."""

import asyncio
import re
import secrets
import sys
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from agent.webhooks import EVENTS
from api.webhooks.envelope import posted, signed
from api.webhooks.fake import FakeHooks
from api.webhooks.port import Undelivered
from api.webhooks.posting import HttpPost
from tests.api.desk import SystemClock
from tests.api.receiver import OTHER, SECRET
from tests.chapter import blocks
from tests.conftest import ROOT
from tests.tools.parcels import free_port
from tools.context import ConversationId

PAGE = (ROOT / "docs" / "webhooks.md").read_text("utf-8")


async def test_the_receiver_of_the_page_takes_each_event_once_and_nothing_forged(tmp_path: Path) -> None:
    (code,) = [block.text for block in blocks(PAGE) if block.language == "python"]
    assert len(code.splitlines()) <= 26
    (tmp_path / "receiver.py").write_text(code, "utf-8")
    port, clock = free_port(), SystemClock()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        tmp_path / "receiver.py",
        SECRET,
        str(port),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    post = HttpPost(f"http://127.0.0.1:{port}/", hosts=("127.0.0.1",))
    hooks = FakeHooks(clock=clock)
    try:
        await _listens(port)
        one, two = (hooks.add("crm", ConversationId("c1"), type="turn.answered", turn="t") for _ in range(2))
        for hook in (one, one, two):
            body = posted(hook, source="https://help.example")
            await post.send(body, signed(body, event=hook.event, at=clock.now(), secrets=(OTHER, SECRET)))
        forged = signed(body, event=two.event, at=clock.now(), secrets=(OTHER,))
        stale = signed(body, event=two.event, at=clock.now() - timedelta(minutes=6), secrets=(SECRET,))
        for headers in (forged, stale, {}):
            with pytest.raises(Undelivered, match="answered 401"):
                await post.send(body, headers)
        with pytest.raises(Undelivered, match="answered 401"):
            await post.send(
                body.replace(b'"t"', b'"x"'), signed(body, event=two.event, at=clock.now(), secrets=(SECRET,))
            )
    finally:
        await post.close()
        process.kill()
    out, _ = await process.communicate()
    assert [line.split(" ")[:3] for line in out.decode().splitlines()] == [
        ["c1", "1", "mayak.turn.answered"],
        ["c1", "2", "mayak.turn.answered"],
    ]


async def _listens(port: int) -> None:
    async with asyncio.timeout(60), httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                await client.get(f"http://127.0.0.1:{port}/{secrets.token_hex(2)}")
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                return


def test_the_page_names_every_event_and_no_other() -> None:
    table = PAGE.partition("## What is told")[2].partition("\nA yes and")[0]
    named = set()
    for line in table.splitlines():
        words = re.findall(r"`([a-z_.]+)`", line.partition("|")[2].partition("|")[0])
        family = ""
        for word in words:
            family = word.partition(".")[0] if "." in word else family
            named.add(word if "." in word else f"{family}.{word}")
    assert named - {"mayak."} - {"mayak"} == set(EVENTS)
