"""The OpenAI protocol: one remote model in each way it can be asked.

```
way 1   streamed, constrained to JSON where the profile asks for it, log-probabilities told
way 2   the same without log-probabilities
way 3   none of it: what every compatible server understands
```
The next way is tried when one is rejected, and the one that is taken is kept to from then on.

Streaming shows a cut connection as one, and keeps proxies from closing a slow answer.
"""

import json
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from typing import Any, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, InvalidToolCall, ToolCall
from langchain_core.messages.tool import ToolCallChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from agent.hearing import listening
from agent.provider import Profile

OPENAI_URL = "https://api.openai.com/v1"

ANSWER_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "sentences": {
            "type": "array",
            "maxItems": 6,
            "items": {
                "type": "object",
                "properties": {
                    "text": {"type": "string"},
                    "refs": {"type": "array", "items": {"type": "string"}},
                },
                "required": ["text", "refs"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["sentences"],
    "additionalProperties": False,
}
"""What a small model's last message is constrained to; `agent.reading` reads it beside plain text."""


class StreamEndedEarly(ConnectionError):
    """The stream stopped without saying that the answer is complete."""


class StreamedOpenAI(ChatOpenAI):
    """Reads a stream to its end and is as strict with it as with a whole body.

    The client library fills in what a broken stream leaves open: arguments of a call that stopped in the middle
    would become a call with fewer arguments, and a refusal would become an empty answer.
    """

    def _convert_chunk_to_generation_chunk(
        self, chunk: dict[str, Any], default_chunk_class: type, base_generation_info: dict[str, Any] | None
    ) -> ChatGenerationChunk | None:
        for choice in chunk.get("choices") or ():
            choice["logprobs"] = _told(choice.get("logprobs"))
        made = super()._convert_chunk_to_generation_chunk(chunk, default_chunk_class, base_generation_info)
        refusal = "".join(
            (choice.get("delta") or {}).get("refusal") or "" for choice in chunk.get("choices") or ()
        )
        if made is not None and refusal:
            made.message.additional_kwargs["refusal"] = refusal
        return made

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        whole: ChatGenerationChunk | None = None
        listener, enough = listening(), False
        stream = self._astream(messages, stop=stop, run_manager=run_manager, **kwargs)
        async with aclosing(cast("AsyncGenerator[ChatGenerationChunk]", stream)) as pieces:
            async for piece in pieces:
                whole = piece if whole is None else whole + piece
                if listener is not None and not await listener(piece.message):
                    enough = True
                    break
        if whole is None or not isinstance(whole.message, AIMessageChunk):
            raise ValueError("the stream holds no message")
        finish = "stop" if enough else (whole.generation_info or {}).get("finish_reason")
        if finish is None:
            began = whole.message.content or whole.message.tool_call_chunks
            raise StreamEndedEarly() if began else ValueError("the stream holds no answer")
        message = _whole(whole.message, finish=finish, logprobs=(whole.generation_info or {}).get("logprobs"))
        return ChatResult(generations=[ChatGeneration(message=message)])


def openai_ways(
    name: str,
    *,
    url: str,
    key: str,
    timeout: float,
    max_tokens: int,
    temperature: float | None,
    stream: bool,
    logprobs: bool,
    profile: Profile,
) -> tuple[BaseChatModel, ...]:
    """Return the client for one model in each way it can be asked, the best first, the plainest last."""
    # Servers other than OpenAI's own know the older name of the limit better than the newer one.
    limit: dict[str, Any] = {"max_tokens" if url else "max_completion_tokens": max_tokens}
    shape = {"name": "answer", "strict": True, "schema": ANSWER_SCHEMA}
    constrained = {"response_format": {"type": "json_schema", "json_schema": shape}}

    def client(*, best: bool, told: bool = False) -> BaseChatModel:
        streams = best and stream
        kind = StreamedOpenAI if streams else ChatOpenAI
        return kind(
            model=name,
            base_url=url or OPENAI_URL,
            api_key=SecretStr(key or "none"),
            timeout=timeout,
            max_retries=0,
            temperature=temperature,
            # The client library's own way of asking for JSON insists on strict tools; the protocol does not.
            extra_body={**limit, **(constrained if best and profile == "small" else {})},
            stream_usage=streams,
            logprobs=True if told else None,
            use_responses_api=False,
        )

    richer = stream or profile == "small"
    ways = [client(best=True, told=True)] if logprobs else []
    ways += [client(best=True)] if richer else []
    return (*ways, client(best=False))


def _told(logprobs: Any) -> dict[str, Any] | None:
    """Return the tokens of one piece; the client library fails on pieces it cannot join, and they are only a help."""
    rows = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        return None
    return {"content": [{name: row.get(name) for name in ("token", "logprob", "bytes")} for row in rows]}


def _whole(message: AIMessageChunk, *, finish: str, logprobs: Any) -> AIMessage:
    calls, broken = _calls(message.tool_call_chunks)
    return AIMessage(
        content=message.content,
        tool_calls=calls,
        invalid_tool_calls=broken,
        usage_metadata=message.usage_metadata,
        additional_kwargs={"refusal": message.additional_kwargs.get("refusal")},
        response_metadata={"finish_reason": finish, "logprobs": logprobs},
    )


def _calls(chunks: Iterable[ToolCallChunk]) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """Read the calls of a stream; one whose arguments are no JSON object is no call."""
    calls: list[ToolCall] = []
    broken: list[InvalidToolCall] = []
    for chunk in chunks:
        name, raw, id = chunk["name"] or "", chunk["args"] or "", chunk["id"]
        try:
            arguments = json.loads(raw or "{}")
        except ValueError:
            arguments = None
        if name and isinstance(arguments, dict):
            calls.append(ToolCall(name=name, args=arguments, id=id, type="tool_call"))
        else:
            fault = "the arguments are no JSON object"
            broken.append(InvalidToolCall(name=name, args=raw, id=id, error=fault, type="invalid_tool_call"))
    return calls, broken
