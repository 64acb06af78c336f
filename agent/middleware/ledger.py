"""Every model call and every tool call becomes one step with a fixed name: a finished one is never repeated.

    model:1   tool:order_status:1   tool:list_orders:2   model:2

Tool calls of one message are numbered as the model wrote them and written down one after another, because a durable
replay must meet the steps in the order in which they were recorded; those that only read wait for their systems together.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import partial
from time import perf_counter
from typing import Any

from langchain_core.messages import AIMessage, ToolMessage, message_to_dict, messages_from_dict

from agent.domain import ToolUse
from agent.errors import WriterFailed
from agent.middleware.book import Booked, call_number
from agent.receipt import ModelRead
from agent.spending import Charge

_NOT_A_NAME = re.compile(r"\W+")


class Ledger(Booked):
    """Outermost: runs calls through the turn's steps and writes the book."""

    async def awrap_model_call(self, request: Any, handler: Any) -> AIMessage:
        """Run one model call as step `model:<n>`. Raises `WriterFailed` when no model answers."""
        book = self.book
        book.model_calls += 1
        # A prepared change ends the loop, and so does a model that calls without end: an empty message stops it.
        if book.proposal is not None or book.model_calls > book.tool_calls + 2:
            return AIMessage("")

        async def effect() -> dict[str, Any]:
            try:
                response = await handler(request)
            except WriterFailed as failure:
                charges = [asdict(charge) for charge in failure.charges]
                reads = [asdict(read) for read in book.given.values()]
                return {"failed": str(failure), "remedy": failure.remedy, "charges": charges, "reads": reads}
            return message_to_dict(response.result[0])

        row = await book.steps.run(f"model:{book.model_calls}", effect, of=dict)
        if "failed" in row:
            self._pay(row["charges"])
            self._read(row.get("reads", ()))
            raise WriterFailed(row["failed"], remedy=row["remedy"])
        (message,) = messages_from_dict([row])
        if not isinstance(message, AIMessage):
            raise TypeError(f"A model answered with a {message.type} message")
        self._note(message)
        return message

    async def awrap_tool_call(self, request: Any, handler: Any) -> ToolMessage:
        """Run one tool call as step `tool:<name>:<n>`; control tools have no effect and need none."""
        call = request.tool_call
        name = call["name"]
        if name in self.book.controls:
            return await handler(request)
        n = call_number(call["id"])

        async def effect() -> dict[str, Any]:
            began = perf_counter()
            message = await handler(request)
            return {"content": message.content, "ms": round(1000 * (perf_counter() - began), 3)}

        ahead = self.book.ahead
        if self.book.reads(name):
            ahead.expect(n, effect)
        async with self.book.in_order(n):
            step = f"tool:{_NOT_A_NAME.sub('_', name)[:64]}:{n}"
            row = await self.book.steps.run(step, partial(ahead.run, n, effect), of=dict)
            ahead.written(n)
            result = json.loads(row["content"])
            self.book.used.append(
                ToolUse(
                    name=name,
                    arguments=call["args"],
                    ok=bool(result.get("ok")),
                    result=result,
                    fault=str(result.get("fault") or ""),
                    ms=float(row["ms"]),
                )
            )
        return ToolMessage(content=row["content"], name=name, tool_call_id=call["id"])

    def _note(self, message: AIMessage) -> None:
        kept = message.response_metadata
        self.book.link = int(kept.get("link", self.book.link))
        self.book.streamed = self.book.streamed or bool(kept.get("streamed"))
        self.book.after = int(kept.get("after", self.book.after))
        self._read(kept.get("reads", ()))
        self.book.model_ms += float(kept.get("ms", 0.0))
        self.book.withheld.update(dict.fromkeys(kept.get("withheld", ())))
        self._pay(kept.get("charges", ()))

    def _read(self, reads: Iterable[Mapping[str, Any]]) -> None:
        self.book.give(*(ModelRead(**{**read, "parts": tuple(read["parts"])}) for read in reads))

    def _pay(self, charges: Iterable[Mapping[str, Any]]) -> None:
        for charge in charges:
            self.book.pay(Charge(**charge))
