"""A provider on a socket that writes word by word: the sentences of the first passage it was shown, after what was said already."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from agent.sentences import sentences
from tests.listening import listening

LONGEST = 3
"""Sentences of one answer."""


@dataclass(slots=True)
class Dictation:
    """What was written and when; `pace` is in seconds a word, `may_go_on` holds the second sentence back while it is clear.

    `finished` are pairs of a sentence and the reading of `time.perf_counter` just before what closes it was written: the
    first word of the next one, or the end of the message.
    """

    pace: float = 0.0
    url: str = ""
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)
    finished: list[tuple[str, float]] = field(default_factory=list)
    asked: list[Mapping[str, Any]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        body = json.loads(await reader.readexactly(length))
        question = body["messages"][-1]["content"]
        told = json.loads(question.split("```json\n")[1].split("\n```")[0])
        self.asked.append(told)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        await self._write(writer, told)

    async def _write(self, writer: asyncio.StreamWriter, told: Mapping[str, Any]) -> None:
        passage = told["evidence"][0]
        said = told.get("said", ())
        whole = sentences(passage["text"])[:LONGEST]
        rest = [sentence for sentence in whole if sentence not in said] or [said[-1]]
        for n, sentence in enumerate(rest):
            for i, word in enumerate(f"{sentence} [{passage['ref']}]".split(" ")):
                if n and i == 0:
                    self.finished.append((rest[n - 1], perf_counter()))
                elif n and i == 1:
                    await self.may_go_on.wait()
                await self._piece(writer, {"content": f"{word} "})
        self.finished.append((rest[-1], perf_counter()))
        await self._piece(writer, {}, finish="stop")
        writer.write(b"data: [DONE]\n\n")
        await writer.drain()

    async def _piece(
        self, writer: asyncio.StreamWriter, delta: Mapping[str, str], finish: str | None = None
    ) -> None:
        choice = {"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": finish}
        chunk = {
            "id": "d",
            "object": "chat.completion.chunk",
            "created": 0,
            "model": "d",
            "choices": [choice],
        }
        writer.write(f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode())
        await writer.drain()
        await asyncio.sleep(self.pace)


@asynccontextmanager
async def dictation(*, pace: float = 0.0, held: bool = False) -> AsyncIterator[Dictation]:
    """Run the provider on the loopback; `held`: it stops before its second sentence until it may go on."""
    provider = Dictation(pace=pace)
    if not held:
        provider.may_go_on.set()
    async with listening(provider.serve) as port:
        provider.url = f"http://127.0.0.1:{port}/v1"
        yield provider


def asking(provider: Dictation) -> dict[str, str]:
    """Return the settings of a house that asks this provider, as one of the company's own."""
    return {
        "MAYAK_MODEL": "openai:dictation",
        "MAYAK_MODEL_URL": provider.url,
        "MAYAK_MODEL_KEY": "none",
        "MAYAK_MODEL_EXTERNAL": "false",
    }
