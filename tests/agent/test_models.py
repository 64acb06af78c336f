"""The chain of models against a real HTTP server on the loopback that speaks, or misspeaks, the OpenAI protocol."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage

from agent.errors import BadModel, ModelUnavailable, WriterFailed
from agent.link import Asking, Link
from agent.loop import Loop
from agent.models import ModelChain, ModelSettings, chain
from agent.records.purse import FakePurse
from tests.agent.library import ALLOWING, CountingSteps, LibraryTools, brief, no_status, pack
from tests.scripted import ScriptedModel, says


def completion(message: dict[str, Any], *, finish: str = "stop") -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
    }


def text(words: str) -> dict[str, Any]:
    return completion({"content": words})


def call(name: str, arguments: str, *, id: str = "1") -> dict[str, Any]:
    function = {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
    return completion({"content": None, "tool_calls": [function]}, finish="tool_calls")


class Provider:
    """Plays `script`, one entry a request: a body, an HTTP status, (status, headers), "hang", "cut", or raw bytes.

    A body is streamed where the request asks for that; "cut" then breaks off in the middle of the words.
    """

    def __init__(self) -> None:
        self.script: list[Any] = []
        self.says = "no"
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.closing = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/v1"

    def close(self) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Tests are quiet."""

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                provider.requests.append(body)
                provider.keys.append(self.headers.get("Authorization", ""))
                step = provider.script.pop(0)
                if step == "hang":
                    provider.closing.wait(10)
                    return
                if body.get("stream") and (isinstance(step, dict) or step == "cut"):
                    self._stream(step)
                    return
                if step == "cut":
                    self.send_response(200)
                    self.send_header("Content-Length", "5000")
                    self.end_headers()
                    self.wfile.write(b'{"id": "chat')
                    return
                step, headers = step if isinstance(step, tuple) else (step, {})
                status = step if isinstance(step, int) else 200
                raw = (
                    step if isinstance(step, bytes) else json.dumps(_body(step, says=provider.says)).encode()
                )
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def _stream(self, step: Any) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for event in ["data: " + json.dumps(chunk) for chunk in chunks(step)]:
                    raw = f"{event}\n\n".encode()
                    self.wfile.write(f"{len(raw):x}\r\n".encode() + raw + b"\r\n")
                    self.wfile.flush()
                if step != "cut":
                    raw = b"data: [DONE]\n\n"
                    self.wfile.write(f"{len(raw):x}\r\n".encode() + raw + b"\r\n0\r\n\r\n")
                self.close_connection = True

        return Handler


def chunks(step: Any) -> Iterator[dict[str, Any]]:
    """The stream of a completion: its words in two pieces, its calls, its end, its usage."""
    body = text("Книгу дают") if step == "cut" else step
    if "choices" not in body or not body["choices"]:
        yield body
        return
    choice = body["choices"][0]
    message = choice["message"]
    said = message.get("content") or ""
    half = len(said) // 2
    calls_ = [{"index": n, **call} for n, call in enumerate(message.get("tool_calls", []))]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": said[:half]}, {"content": said[half:]}]
    told = choice.get("logprobs")
    tokens = told["content"] if isinstance(told, dict) and "refusal" in told else None
    if tokens:
        deltas = [{"content": row["token"]} for row in tokens]
    if "refusal" in message:
        deltas.append({"refusal": message["refusal"]})
    if calls_:
        deltas.append({"tool_calls": calls_})
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    for n, delta in enumerate(deltas):
        own = {"logprobs": {"content": tokens[n : n + 1]} if tokens else told}
        yield {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None, **own}]}
        if step == "cut":
            return
    yield {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]}
    yield {**base, "choices": [], "usage": body["usage"]}


def _body(step: Any, *, says: str) -> Any:
    return {"error": {"message": says, "type": "t", "code": "c"}} if isinstance(step, int) else step


@pytest.fixture
def provider() -> Iterator[Provider]:
    server = Provider()
    yield server
    server.close()


def loop(provider: Provider, *fallbacks: ScriptedModel, timeout: float = 1.0, **more: Any) -> Loop:
    """The real client against the provider, with scripted models behind it in place of the extractive one."""
    settings = ModelSettings(main="openai:m", url=provider.url, key="k", timeout=timeout, **more)
    remote = chain(settings).links[0]
    behind = [Link(name="behind", model=model, timeout=5.0, local=True) for model in fallbacks]
    return Loop(
        ModelChain([remote, *behind]), toolbox=LibraryTools(), pack=pack(), purse=FakePurse(), gate=ALLOWING
    )


async def test_a_provider_answers_in_plain_words(provider: Provider) -> None:
    provider.script = [text("Книгу дают на 21 день. [rules#2]")]
    writer = loop(provider, ScriptedModel(), prices={"m": (2.0, 10.0)})
    draft = await writer.write(brief(), steps=CountingSteps(), status=no_status)
    assert draft.sentences[0].refs == ("rules#2",)
    assert draft.model == "openai:m"
    assert (draft.cost.prompt_tokens, draft.cost.completion_tokens) == (100, 10)
    assert draft.cost.usd == pytest.approx(0.0003)
    request = provider.requests[0]
    assert request["model"] == "m"
    assert request["max_tokens"] == 1000
    assert [message["role"] for message in request["messages"]] == ["system", "user"]
    assert {tool["function"]["name"] for tool in request["tools"]} >= {"loan_status", "ask_back", "decline"}
    assert provider.keys == ["Bearer k"]


async def test_a_provider_calls_a_tool_and_then_answers(provider: Provider) -> None:
    provider.script = [
        call("loan_status", '{"book": "Идиот"}', id="call_abc"),
        text("Книга у вас. [tool:loan_status:1]"),
    ]
    draft = await loop(provider, ScriptedModel()).write(brief(), steps=CountingSteps(), status=no_status)
    assert [use.name for use in draft.tools] == ["loan_status"]
    assert draft.sentences[0].refs == ("tool:loan_status:1",)
    told = provider.requests[1]["messages"]
    assert told[-1]["role"] == "tool"
    assert told[-1]["tool_call_id"] == told[-2]["tool_calls"][0]["id"]
    schema = json.dumps(provider.requests[0]["tools"])
    assert "runtime" not in schema
    assert "cues" not in schema, "what drives the planner is not sent to providers"


FAILURES: dict[str, tuple[Any, str]] = {
    "429": (429, "rate_limited"),
    "500": (500, "server"),
    "401": (401, "unauthorised"),
    "404": (404, "unknown_model"),
    "hang": ("hang", "timeout"),
    "broken JSON": (b'{"id": "x", "choices": [', "unreadable"),
    "HTML": (b"<html>proxy</html>", "unreadable"),
    "another JSON": ({"hello": "world"}, "unreadable"),
    "cut connection": ("cut", "unreachable"),
    "no choices": ({**text("x"), "choices": []}, "unreadable"),
    "null choices": ({**text("x"), "choices": None}, "unreadable"),
    "empty answer": (text("  "), "empty"),
    "null answer": (completion({"content": None}), "empty"),
    "refusal": (completion({"content": "", "refusal": "I cannot help with that"}), "refused"),
    "content filter": (completion({"content": "x"}, finish="content_filter"), "refused"),
    "cut at its limit": (completion({"content": "Книгу дают на 21"}, finish="length"), "truncated"),
    "another language": (text("You may keep the book for 21 days. [rules#2]"), "wrong_language"),
    "arguments that are no JSON": (call("loan_status", '{"book": '), "unreadable"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("case", FAILURES)
async def test_whatever_a_provider_does_wrong_the_next_model_answers(
    provider: Provider, case: str, stream: bool
) -> None:
    step, why = FAILURES[case]
    provider.script = [step]
    steps = CountingSteps()
    behind = ScriptedModel(steps=[says("Книгу дают на 21 день. [rules#2]")])
    writer = loop(provider, behind, timeout=0.4, stream=stream)
    draft = await writer.write(brief(), steps=steps, status=no_status)
    behind.finished()
    assert draft.model == "behind"
    assert draft.sentences
    tried = steps.done["model:1"]["data"]["response_metadata"]["tried"]  # type: ignore[index]
    assert tried[0].startswith(f"openai:m: {why}"), tried
    assert len(provider.requests) == 1, "a failed call is not repeated"


async def test_nothing_listening_is_unreachable() -> None:
    settings = ModelSettings(main="openai:m", url="http://127.0.0.1:9/v1", key="k", timeout=1.0)
    remote = chain(settings).links[0]
    with pytest.raises(WriterFailed, match="unreachable"):
        await ModelChain([remote]).ask(Asking(call=_ping))


async def test_when_every_model_fails_the_writer_fails_with_all_the_reasons(provider: Provider) -> None:
    provider.script = [500]
    with pytest.raises(WriterFailed, match="openai:m: server"):
        await loop(provider).write(brief(), steps=CountingSteps(), status=no_status)


async def test_a_second_model_of_the_same_server_is_asked_before_the_last(provider: Provider) -> None:
    provider.script = [500, text("Ответ. [rules#2]")]
    settings = ModelSettings(main="openai:big", fallbacks=("openai:small",), url=provider.url, timeout=1.0)
    reply = await chain(settings).ask(Asking(call=_ping))
    assert reply.link == 1
    assert [request["model"] for request in provider.requests] == ["big", "small"]


async def test_a_failing_provider_rests_and_is_asked_again_later(provider: Provider) -> None:
    provider.script = [500, 500, text("Снова здесь.")]
    now = [0.0]
    settings = ModelSettings(main="openai:m", url=provider.url, timeout=1.0, rest=30.0)
    remote = chain(settings).links[0]
    answers = ScriptedModel(steps=[says("a"), says("b"), says("c")])
    models = ModelChain(
        [remote, Link(name="behind", model=answers, timeout=1.0, local=True)], rest=30.0, clock=lambda: now[0]
    )
    for _ in range(3):
        assert (await models.ask(Asking(call=_ping))).link == 1
    assert len(provider.requests) == 2, "the third turn did not wait for it"
    now[0] = 31.0
    assert (await models.ask(Asking(call=_ping))).link == 0


async def test_a_turn_without_time_left_goes_straight_to_the_local_model(provider: Provider) -> None:
    behind = ScriptedModel(steps=[says("Коротко. [rules#2]")])
    chain_ = loop(provider, behind).models
    reply = await chain_.ask(Asking(call=_ping, seconds=0.0))
    assert reply.link == 1
    assert provider.requests == []
    assert "time is used up" in reply.tried[0]


async def test_a_hanging_provider_costs_no_more_than_its_timeout(provider: Provider) -> None:
    provider.script = ["hang"]
    behind = ScriptedModel(steps=[says("Коротко. [rules#2]")])
    began = time.monotonic()
    await loop(provider, behind, timeout=0.3).models.ask(Asking(call=_ping))
    assert time.monotonic() - began < 3


async def test_doctor_tells_a_healthy_model_from_a_refused_key_and_a_wrong_address(
    provider: Provider,
) -> None:
    provider.script = [text("pong"), 401]
    healthy, _ = await chain(ModelSettings(main="openai:m", url=provider.url, timeout=1.0)).probe()
    assert (healthy.name, healthy.ok, healthy.problem) == ("openai:m", True, "")
    refused, last = await chain(ModelSettings(main="openai:m", url=provider.url, timeout=1.0)).probe()
    assert not refused.ok
    assert "MAYAK_MODEL_KEY" in refused.remedy
    assert (last.name, last.ok) == ("extractive", True)
    wrong = (await chain(ModelSettings(main="openai:m", url="127.0.0.1:99/v1")).probe())[0]
    assert "MAYAK_MODEL_URL" in wrong.remedy


def test_a_missing_key_is_told_at_the_start_and_does_not_stop_the_house() -> None:
    models = chain(ModelSettings(main="openai:m"))
    assert [problem.remedy for problem in models.problems] == [
        "The provider refused the key: check MAYAK_MODEL_KEY."
    ]
    assert [link.name for link in models.links] == ["openai:m", "extractive"]


async def test_a_model_without_a_key_is_passed_over_at_run_time() -> None:
    broken = chain(ModelSettings(main="openai:m")).links[0]
    behind = Link(name="behind", model=ScriptedModel(steps=[says("Вот.")]), timeout=1.0, local=True)
    reply = await ModelChain([broken, behind]).ask(Asking(call=_ping))
    assert reply.link == 1
    assert "no key" in reply.tried[0]


@pytest.mark.parametrize("name", ["gpt-4o", "openai:", "anthropic:claude", ""])
def test_a_name_that_is_no_model_is_refused_with_a_remedy(name: str) -> None:
    with pytest.raises(BadModel) as wrong:
        chain(ModelSettings(main=name))
    assert "openai:<name>" in wrong.value.remedy


def test_the_default_needs_no_provider() -> None:
    models = chain(ModelSettings())
    assert [link.name for link in models.links] == ["extractive"]
    assert models.problems == ()
    assert models.links[0].local


def test_the_key_is_never_shown() -> None:
    assert "s3cret" not in repr(ModelSettings(main="openai:m", key="s3cret"))
    assert "s3cret" not in repr(chain(ModelSettings(main="openai:m", key="s3cret")).links)


async def test_a_mistake_of_our_own_is_not_taken_for_the_providers() -> None:
    async def wrong(_: BaseChatModel) -> AIMessage:
        raise RuntimeError("a mistake of ours")

    with pytest.raises(RuntimeError):
        await ModelChain([Link(name="m", model=ScriptedModel(), timeout=1.0, local=False)]).ask(
            Asking(call=wrong)
        )


async def test_a_model_of_the_house_may_answer_with_nothing() -> None:
    model = ScriptedModel(steps=[says("")])
    reply = await ModelChain([Link(name="house", model=model, timeout=1.0, local=True)]).ask(
        Asking(call=_ping)
    )
    assert reply.message.text == ""
    with pytest.raises(ModelUnavailable):
        raise chain(ModelSettings(main="openai:m")).problems[0]


async def _ping(model: BaseChatModel) -> AIMessage:
    async with asyncio.timeout(5):
        return await model.ainvoke([HumanMessage("ping")])


async def test_what_a_server_rejects_is_left_out_from_then_on(provider: Provider) -> None:
    provider.script = [400, 400, text("Раз."), text("Два.")]
    models = chain(ModelSettings(main="openai:small-7b", url=provider.url, timeout=1.0))
    for _ in range(2):
        assert (await models.ask(Asking(call=_ping))).link == 0
    first, silent, again, later = provider.requests
    assert first["stream"] is True
    assert first["response_format"]["type"] == "json_schema"
    assert (first["logprobs"], silent.get("logprobs")) == (True, None)
    assert silent["response_format"]["type"] == "json_schema", (
        "log-probabilities are the first to be given up"
    )
    assert not {"stream", "response_format", "stream_options"} & {k for k in again if again[k]}
    assert not {"stream", "response_format"} & {k for k in later if later[k]}


async def test_a_model_nobody_knows_is_not_asked_in_another_way(provider: Provider) -> None:
    provider.script = [404]
    with pytest.raises(WriterFailed, match="unknown_model"):
        await ModelChain(chain(ModelSettings(main="openai:m", url=provider.url)).links[:1]).ask(
            Asking(call=_ping)
        )


async def test_told_to_wait_a_moment_with_nobody_else_there_it_is_asked_once_more(provider: Provider) -> None:
    provider.script = [(429, {"Retry-After": "0.2"}), text("Теперь.")]
    behind = ScriptedModel()
    began = time.monotonic()
    reply = await loop(provider, behind).models.ask(Asking(call=_ping, seconds=10))
    assert reply.message.text == "Теперь."
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize(("wait", "seconds"), [("7", 20.0), ("0.4", 0.5)], ids=["too long", "no time"])
async def test_a_longer_wait_is_kept_by_others_and_the_model_rests_as_told(
    provider: Provider, wait: str, seconds: float
) -> None:
    provider.script = [(429, {"Retry-After": wait})]
    models = loop(provider, ScriptedModel(steps=[says("Коротко.")] * 2)).models
    for _ in range(2):
        assert (await models.ask(Asking(call=_ping, seconds=seconds))).link == 1
    assert len(provider.requests) == 1, "told to rest, it is not asked meanwhile"
    assert models.links[0].breaker.seconds_left <= float(wait)


async def test_a_wait_told_as_a_date_or_as_nonsense_counts_as_not_told(provider: Provider) -> None:
    provider.script = [(429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})]
    models = loop(provider, ScriptedModel(steps=[says("Коротко.")])).models
    assert (await models.ask(Asking(call=_ping))).link == 1
    assert models.links[0].breaker.state == "closed"


async def test_a_remote_model_without_usage_is_charged_by_our_own_count(provider: Provider) -> None:
    provider.script = [{**text("Книгу дают на 21 день."), "usage": None}]
    reply = await chain(ModelSettings(main="openai:m", url=provider.url, stream=False)).ask(
        Asking(call=_ping, tokens=40)
    )
    (charge,) = reply.charges
    assert (charge.prompt, charge.estimated) == (40, True)
    assert charge.completion > 3
