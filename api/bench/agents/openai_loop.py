"""The loop that the OpenAI client's documentation shows: ask, run the tool that was called, ask again."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from openai import AsyncOpenAI

from api.bench.agents.passages import Shelf
from api.bench.agents.port import RULES, Agent, Job, passages_json
from api.bench.stub.server import MODEL

SEARCH: Mapping[str, Any] = {
    "type": "function",
    "function": {
        "name": "search",
        "description": "Search the company's documents.",
        "parameters": {
            "type": "object",
            "properties": {"query": {"type": "string"}},
            "required": ["query"],
        },
    },
}
CALLS = 4
"""Model calls of one turn at most."""


class Looped:
    """Asks until an answer comes; the passages are found by a tool, or stand in the question."""

    def __init__(self, client: Any, job: Job, shelf: Shelf | None) -> None:
        self._client = client
        self._asked = job.evidence_of()
        self._shelf = shelf

    async def begin(self, talk: str, *, language: str) -> None:
        """Nothing is kept of a talk before it begins."""

    async def answer(self, question: str, *, talk: str) -> str:
        said = question if self._shelf else self._asked[question].as_message()
        messages: list[dict[str, Any]] = [
            {"role": "system", "content": RULES},
            {"role": "user", "content": said},
        ]
        tools: dict[str, Any] = {"tools": [SEARCH]} if self._shelf else {}
        for _ in range(CALLS):
            reply = await self._client.chat.completions.create(
                model=MODEL, messages=messages, temperature=0, **tools
            )
            message = reply.choices[0].message
            if not message.tool_calls:
                return str(message.content)
            messages.append(message.model_dump(exclude_none=True))
            for call in message.tool_calls:
                query = json.loads(call.function.arguments)["query"]
                messages.append(
                    {"role": "tool", "tool_call_id": call.id, "content": await self._found(query)}
                )
        return ""

    async def _found(self, query: str) -> str:
        return passages_json(await asyncio.to_thread(self._shelf.find, query) if self._shelf else [])


@asynccontextmanager
async def openai_agent(job: Job, *, variant: str) -> AsyncIterator[Agent]:
    """Lend the loop; `search` looks passages up by a tool, anything else gives them."""
    async with AsyncOpenAI(base_url=job.url, api_key="none", max_retries=0, timeout=120) as client:
        yield Looped(client, job, Shelf.of(job) if variant == "search" else None)
