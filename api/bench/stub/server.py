"""The stub model as a server of its own process: `python -m api.bench.stub.server PORT DELAY_MS PACE_MS`.

Speaks the chat completions protocol, streaming and not, and embeddings. The first piece of an answer comes after
the delay, the others one pace after another; an answer that is not streamed comes when its stream would have ended.
"""

import asyncio
import hashlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from api.bench.stub.saying import Said, said

START_SECONDS = 20
DIMENSIONS = 64
MODEL = "stub"


def create_stub(*, delay_ms: float, pace_ms: float) -> Starlette:
    """Return the application. Both times are of one answer, however many are asked at once."""

    async def complete(request: Request) -> Response:
        body = await request.json()
        answer = said(body)
        if body.get("stream"):
            chunks = _chunks(body, answer, delay_ms / 1000, pace_ms / 1000)
            return StreamingResponse(chunks, media_type="text/event-stream")
        await asyncio.sleep((delay_ms + pace_ms * max(0, len(answer.pieces()) - 1)) / 1000)
        return JSONResponse(_completion(body, answer))

    async def embed(request: Request) -> Response:
        body = await request.json()
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        rows = [
            {"object": "embedding", "index": n, "embedding": _vector(str(t))} for n, t in enumerate(texts)
        ]
        return JSONResponse(
            {"object": "list", "data": rows, "model": body.get("model"), "usage": _usage(body, Said())}
        )

    async def models(request: Request) -> Response:
        return JSONResponse(
            {"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "bench"}]}
        )

    return Starlette(
        routes=[
            Route("/v1/chat/completions", complete, methods=["POST"]),
            Route("/v1/embeddings", embed, methods=["POST"]),
            Route("/v1/models", models),
        ]
    )


@contextmanager
def running_stub(*, delay_ms: float, pace_ms: float = 0.0) -> Iterator[str]:
    """Run the stub in a process of its own while the block lasts; yields its base URL. Raises `RuntimeError`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "api.bench.stub.server", str(port), str(delay_ms), str(pace_ms)]
    process = subprocess.Popen(command)
    try:
        _await(f"http://127.0.0.1:{port}/v1/models", process)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait()


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if httpx.get(url, trust_env=False, timeout=1).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError("The stub model did not start.")


async def _chunks(body: Mapping[str, Any], answer: Said, delay: float, pace: float) -> AsyncIterator[str]:
    await asyncio.sleep(delay)
    if answer.tool:
        yield _chunk(body, {"role": "assistant", "tool_calls": [{"index": 0, **_call(answer)}]})
    for n, piece in enumerate(answer.pieces()):
        if n and pace:
            await asyncio.sleep(pace)
        yield _chunk(body, {"role": "assistant", "content": piece} if n == 0 else {"content": piece})
    yield _chunk(body, {}, finish="tool_calls" if answer.tool else "stop")
    if (body.get("stream_options") or {}).get("include_usage"):
        usage = {**_head(body, "chat.completion.chunk"), "choices": [], "usage": _usage(body, answer)}
        yield f"data: {json.dumps(usage)}\n\n"
    yield "data: [DONE]\n\n"


def _chunk(body: Mapping[str, Any], delta: Mapping[str, Any], *, finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    data = {**_head(body, "chat.completion.chunk"), "choices": [choice]}
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


def _completion(body: Mapping[str, Any], answer: Said) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None}
    if answer.tool:
        message["tool_calls"] = [_call(answer)]
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if answer.tool else "stop"}
    return {**_head(body, "chat.completion"), "choices": [choice], "usage": _usage(body, answer)}


def _call(answer: Said) -> dict[str, Any]:
    id = hashlib.sha256(f"{answer.tool}{answer.arguments}".encode()).hexdigest()[:9]
    return {"id": id, "type": "function", "function": {"name": answer.tool, "arguments": answer.arguments}}


def _head(body: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-stub", "object": kind, "created": 0, "model": body.get("model") or MODEL}


def _usage(body: Mapping[str, Any], answer: Said) -> dict[str, Any]:
    """Return token counts by the rule of thumb of four characters a token."""
    prompt = sum(len(str(message.get("content") or "")) for message in body.get("messages") or ()) // 4
    written = len(answer.text or answer.arguments) // 4
    details = {"cached_tokens": 0}
    return {
        "prompt_tokens": prompt,
        "completion_tokens": written,
        "total_tokens": prompt + written,
        "prompt_tokens_details": details,
    }


def _vector(text: str) -> list[float]:
    """Return numbers that are the same for the same text and say nothing of its meaning."""
    digest = hashlib.shake_256(text.encode("utf-8", "surrogatepass")).digest(DIMENSIONS)
    return [byte / 127.5 - 1 for byte in digest]


def main() -> None:
    """Serve until terminated."""
    port, delay_ms, pace_ms = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    app = create_stub(delay_ms=delay_ms, pace_ms=pace_ms)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False, backlog=4096)


if __name__ == "__main__":
    main()
