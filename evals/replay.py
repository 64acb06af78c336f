"""A provider that gives recorded answers again: what a capable writer once said, asked by today's house.

```
house ─► request ─► what was heard (question, tools so far) ─► the recorded answer, as a stream
```
An answer is found by the question and the tools that have answered, not by the prompt's wording: a changed prompt does not lose the recording, it makes it stale, which each row tells by its prompt version. Words copied
from a tool's result are kept as places in it, because the dates in them move with the day.
"""

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

RECORDINGS = Path(__file__).with_name("recordings")
ANSWERS = RECORDINGS / "answers.jsonl"

_FENCE = re.compile(r"```json\n(.*?)\n```", re.DOTALL)
_PLACE = re.compile(r"\{(tool:[\w.-]+:\d+)\.(\d+)\}")
_PIECE = 24
"""Characters in one piece of a streamed answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a request holds for its writer: the question, the results of this turn's tools, references, tools."""

    question: str
    language: str
    results: tuple[Mapping[str, Any], ...]
    evidence: tuple[str, ...]
    tools: tuple[str, ...]

    @property
    def key(self) -> str:
        """Return sixteen hex digits of what decides the answer: the question and which tools have answered."""
        told = [self.question, self.language, [result["ref"] for result in self.results]]
        return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()[:16]


def heard(request: Mapping[str, Any]) -> Heard:
    """Read a chat request of the house. Raises ValueError when it holds no question."""
    messages: Sequence[Mapping[str, Any]] = request["messages"]
    asked = max((n for n, m in enumerate(messages) if m["role"] == "user"), default=-1)
    fenced = _FENCE.search(str(messages[asked].get("content"))) if asked >= 0 else None
    if fenced is None:
        raise ValueError("the request holds no question")
    data = json.loads(fenced[1])
    return Heard(
        question=data["question"],
        language=data["language"],
        results=tuple(json.loads(m["content"]) for m in messages[asked:] if m["role"] == "tool"),
        evidence=tuple(item["ref"] for item in data["evidence"]),
        tools=tuple(tool["function"]["name"] for tool in request.get("tools", ())),
    )


def row_of(request: Mapping[str, Any], answer: Mapping[str, Any], *, prompt: str) -> dict[str, Any]:
    """Return one row of a recording for a request and what the writer answered under prompts of that version."""
    said = heard(request)
    return {
        "key": said.key,
        "prompt": prompt,
        "language": said.language,
        "question": said.question,
        "evidence": list(said.evidence),
        "tools": list(said.tools),
        "results": [result["ref"] for result in said.results],
        "answer": _with_places(answer, said.results),
    }


def _with_places(answer: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    content = answer.get("content")
    for result in results:
        for n, sentence in enumerate(result.get("sentences", ())):
            # Whoever copies by hand writes plain spaces where the tool keeps figures and units together.
            copied = re.compile(r"\s+".join(map(re.escape, sentence.split())))
            content = copied.sub(f"{{{result['ref']}.{n}}}", content) if content else content
    return {**answer, "content": content}


def filled(content: str, results: Sequence[Mapping[str, Any]]) -> str:
    """Put the words of today's tool results into the places an answer keeps for them."""
    sentences = {result["ref"]: result.get("sentences", ()) for result in results}
    return _PLACE.sub(lambda place: str(sentences[place[1]][int(place[2])]), content)


def read_rows(path: Path = ANSWERS) -> tuple[dict[str, Any], ...]:
    """Return the rows of a recording."""
    return tuple(json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip())


def stale(rows: Sequence[Mapping[str, Any]], *, prompt: str) -> tuple[str, ...]:
    """Return the keys of the rows that were answered under other prompts than version `prompt`."""
    return tuple(row["key"] for row in rows if row["prompt"] != prompt)


class Replay:
    """Recorded answers by what was heard; several to one question are given in turn, the last one again.

    `missed` are the questions nobody answered.
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.missed: list[str] = []
        self._answers: dict[str, list[Mapping[str, Any]]] = {}
        self._one_at_a_time = threading.Lock()
        for row in rows:
            self._answers.setdefault(row["key"], []).append(row["answer"])

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the recorded message for a request, None when there is none."""
        said = heard(request)
        with self._one_at_a_time:
            left = self._answers.get(said.key)
            if not left:
                self.missed.append(said.question)
                return None
            found = left.pop(0) if len(left) > 1 else left[0]
        content = found.get("content")
        return {**found, "content": filled(content, said.results) if content else None}


class Provider(Protocol):
    """Whatever answers chat requests in a provider's place."""

    def answer(self, request: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return a message `{content, tool_calls: [{name, arguments}]}`, None where there is no answer."""


@contextmanager
def serving(replay: Provider) -> Iterator[str]:
    """Serve the recording, or another provider, on the loopback while the block runs; yields the base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Endpoint,), {"replay": replay}))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Endpoint(BaseHTTPRequestHandler):
    replay: Provider

    def log_message(self, *_: object) -> None:
        """Say nothing: the command tells what was missed."""

    def do_POST(self) -> None:
        """Answer a chat completion, streamed where that is asked for; 404 where nothing was recorded."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = self.replay.answer(request)
        if answer is None:
            self._send(404, json.dumps({"error": {"message": "not recorded", "code": "unrecorded"}}))
        elif request.get("stream"):
            events = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in _chunks(answer))
            self._send(200, f"{events}data: [DONE]\n\n", kind="text/event-stream")
        else:
            self._send(200, json.dumps(_completion(answer)))

    def _send(self, status: int, body: str, *, kind: str = "application/json") -> None:
        raw = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def _calls(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "id": f"call{n}",
            "type": "function",
            "function": {
                "name": call["name"],
                "arguments": json.dumps(call["arguments"], ensure_ascii=False),
            },
        }
        for n, call in enumerate(answer.get("tool_calls") or ())
    ]


def _usage(answer: Mapping[str, Any]) -> dict[str, int]:
    written = len(json.dumps(answer, ensure_ascii=False)) // 4
    return {"prompt_tokens": 0, "completion_tokens": written, "total_tokens": written}


def _completion(answer: Mapping[str, Any]) -> dict[str, Any]:
    calls = _calls(answer)
    message = {
        "role": "assistant",
        "content": answer.get("content"),
        **({"tool_calls": calls} if calls else {}),
    }
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}
    return {**_BASE, "object": "chat.completion", "choices": [choice], "usage": _usage(answer)}


def _chunks(answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    text, calls = answer.get("content") or "", _calls(answer)
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": text[n : n + _PIECE]} for n in range(0, len(text), _PIECE)]
    deltas += [{"tool_calls": [{"index": n, **call}]} for n, call in enumerate(calls)]
    chunk = {**_BASE, "object": "chat.completion.chunk"}
    for delta in deltas:
        yield {**chunk, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    finish = "tool_calls" if calls else "stop"
    yield {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}
    yield {**chunk, "choices": [], "usage": _usage(answer)}


_BASE = {"id": "chatcmpl-recorded", "created": 0, "model": "recorded"}
