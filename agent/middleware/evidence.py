"""Only finished tool results are evidence: a model's words beside its calls are dropped, results get a reference."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessage, ToolCall, ToolMessage
from pydantic import BaseModel, ValidationError

from agent.controls import CONTROLS
from agent.middleware.book import Booked, call_id, call_number
from agent.prompts import as_data

log = logging.getLogger(__name__)

MOST_CHARS = 64_000
"""Of one result. What is longer would fill the model's memory and the record of the turn with one system's answer."""
MOST_SENTENCES = 24
LONGEST_SENTENCE = 2_000


class Evidence(Booked):
    """Tidies what the model says and names what its tools return."""

    async def awrap_model_call(self, request: Any, handler: Any) -> AIMessage:
        """Return the model's message as the rest of the house reads it: calls, or text, never both."""
        response = await handler(request)
        said: AIMessage = response.result[0]
        calls = self._calls(said)
        return AIMessage(
            content="" if calls else said.text,
            tool_calls=calls,
            invalid_tool_calls=[] if calls else said.invalid_tool_calls,
            usage_metadata=said.usage_metadata,
            additional_kwargs={"refusal": said.additional_kwargs.get("refusal")},
            response_metadata={
                name: said.response_metadata.get(name) for name in ("finish_reason", "logprobs")
            },
        )

    async def awrap_tool_call(self, request: Any, handler: Any) -> ToolMessage:
        """Return the tool's result as a JSON object that carries its own reference."""
        call = request.tool_call
        message: ToolMessage = await handler(request)
        if call["name"] in self.book.controls:
            return message
        reference = f"tool:{call['name']}:{call_number(call['id'])}"
        content = as_data({"ref": reference, **_result(str(message.content))})
        return message.model_copy(update={"content": content})

    def _calls(self, said: AIMessage) -> list[ToolCall]:
        """Return the calls to make: tools before controls, one control at most, numbered in this turn's order."""
        tools = [call for call in said.tool_calls if call["name"] not in CONTROLS][: self.book.calls_left()]
        if not tools:
            tools = [call for call in said.tool_calls if self._makes_sense(call)][:1]
        first = len(self.book.used) + 1
        return [
            ToolCall(name=call["name"], args=call["args"], id=call_id(n), type="tool_call")
            for n, call in enumerate(tools, start=first)
        ]

    def _makes_sense(self, call: ToolCall) -> bool:
        control = self.book.controls.get(call["name"])
        schema = control.args_schema if control is not None else None
        if not isinstance(schema, type) or not issubclass(schema, BaseModel):
            return False
        try:
            schema.model_validate(call["args"])
        except ValidationError:
            return False
        return True


def _result(content: str) -> dict[str, Any]:
    """Read a tool's JSON object; a tool that answers in plain words gets them as its sentence.

    A result that is larger than any tool of the house gives is cut to its first sentences, and says so.
    """
    body: Any = content
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        log.debug("a tool answered in %d characters of plain words", len(content))
    if not isinstance(body, Mapping):
        said = str(content if isinstance(body, list) else body).strip()
        body = {"ok": True, "kind": "text", "sentences": [said] if said else [], "facts": {}}
    return dict(body) if len(content) <= MOST_CHARS else _cut(body)


def _cut(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may be kept of a result that is too large: its sentences in part, no facts, nothing to confirm."""
    said = body.get("sentences")
    sentences = (
        [str(one)[:LONGEST_SENTENCE] for one in said[:MOST_SENTENCES]] if isinstance(said, list) else []
    )
    told = {name: str(body[name])[:64] for name in ("kind", "fault") if body.get(name)}
    return {"ok": bool(body.get("ok")), "sentences": sentences, "facts": {}, "cut": True, **told}
