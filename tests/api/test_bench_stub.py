"""The stub model: the same answer to the same request, in the protocol that real clients read."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from openai import AsyncOpenAI

from api.bench.stub.saying import NOTHING, nearest, said
from api.bench.stub.server import running_stub

EVIDENCE = [
    {"ref": "returns#1", "text": "Деньги вернутся за 10 дней. Вернуть товар можно в течение 14 дней."},
    {"ref": "courier#2", "text": "Курьер привезёт заказ завтра."},
]
SEARCH = {
    "type": "function",
    "function": {
        "name": "search",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
    },
}


def asked(question: str, *, evidence: Any = EVIDENCE) -> dict[str, Any]:
    data = json.dumps({"evidence": evidence, "question": question}, ensure_ascii=False)
    return {
        "model": "stub",
        "messages": [{"role": "user", "content": f"Data:\n```json\n{data}\n```\nAnswer."}],
    }


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_stub(delay_ms=0) as address:
        yield address


def client(url: str) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=url, api_key="none", max_retries=0)


def test_the_sentence_that_shares_most_words_with_the_question_is_quoted_with_its_reference() -> None:
    assert said(asked("В течение скольких дней можно вернуть товар?")).text == (
        "Вернуть товар можно в течение 14 дней. [returns#1]"
    )
    assert said(asked("Когда привезёт курьер?")).text == "Курьер привезёт заказ завтра. [courier#2]"


def test_the_latest_evidence_counts_also_inside_a_json_string() -> None:
    inner = json.dumps({"evidence": EVIDENCE, "question": "Когда привезёт курьер?"}, ensure_ascii=False)
    outer = json.dumps({"message": inner}, ensure_ascii=False)
    body = {"messages": [{"role": "user", "content": f"Events: {outer} — reply."}]}
    assert said(body).text == "Курьер привезёт заказ завтра. [courier#2]"


def test_without_evidence_one_search_is_called_and_its_result_is_quoted() -> None:
    question = {"role": "user", "content": "Когда привезёт курьер?"}
    call = said({"messages": [question], "tools": [SEARCH]})
    assert (call.tool, json.loads(call.arguments)) == ("search", {"query": "Когда привезёт курьер?"})
    result = {"role": "tool", "content": json.dumps({"evidence": EVIDENCE}, ensure_ascii=False)}
    assert said({"messages": [question, result], "tools": [SEARCH]}).text == (
        "Курьер привезёт заказ завтра. [courier#2]"
    )
    nothing = {"role": "tool", "content": json.dumps({"evidence": []})}
    assert said({"messages": [question, nothing], "tools": [SEARCH]}).text == NOTHING


def test_nothing_to_quote_is_said_and_no_reference_is_invented() -> None:
    assert said({"messages": [{"role": "user", "content": "Привет"}]}).text == NOTHING
    assert nearest("что?", []) == (NOTHING, "")


def test_a_schema_that_is_asked_for_is_filled_with_the_quote() -> None:
    schema = {
        "type": "object",
        "properties": {
            "sentences": {"type": "array", "items": {"$ref": "#/$defs/Sentence"}},
            "sure": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
            "kind": {"enum": ["answer", "other"]},
            "n": {"type": "integer"},
        },
        "$defs": {
            "Sentence": {
                "type": "object",
                "properties": {
                    "text": {"type": "string"},
                    "refs": {"type": "array", "items": {"type": "string"}},
                },
            }
        },
    }
    shape = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    text = said({**asked("Когда привезёт курьер?"), "response_format": shape}).text
    assert json.loads(text) == {
        "sentences": [{"text": "Курьер привезёт заказ завтра.", "refs": ["courier#2"]}],
        "sure": False,
        "kind": "answer",
        "n": 0,
    }


def test_a_schema_inside_itself_ends() -> None:
    schema = {
        "$ref": "#/$defs/Node",
        "$defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}},
    }
    text = said({**asked("?"), "response_format": {"json_schema": {"schema": schema}}}).text
    assert json.loads(text)["next"] is not None


async def test_the_openai_client_reads_whole_answers_streams_tool_calls_and_usage(url: str) -> None:
    async with client(url) as openai:
        body = asked("Когда привезёт курьер?")
        whole = await openai.chat.completions.create(**body)
        assert whole.choices[0].message.content == "Курьер привезёт заказ завтра. [courier#2]"
        assert whole.usage is not None
        assert whole.usage.total_tokens > 0
        stream = await openai.chat.completions.create(
            **body, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        assert text == whole.choices[0].message.content
        assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
        assert chunks[-1].usage == whole.usage
        called = await openai.chat.completions.create(
            model="stub", messages=[{"role": "user", "content": "Когда?"}], tools=[SEARCH]
        )
        assert called.choices[0].finish_reason == "tool_calls"
        assert called.choices[0].message.tool_calls[0].function.name == "search"


async def test_vectors_are_the_same_for_the_same_text(url: str) -> None:
    async with client(url) as openai:
        told = await openai.embeddings.create(
            model="stub", input=["да", "нет", "да"], encoding_format="float"
        )
    one, other, again = (row.embedding for row in told.data)
    assert one == again != other


def test_the_stub_serves_from_a_process_of_its_own_until_the_block_ends() -> None:
    with running_stub(delay_ms=0) as url:
        assert httpx.get(f"{url}/models", trust_env=False).json()["data"][0]["id"] == "stub"
        reply = httpx.post(f"{url}/chat/completions", json=asked("Когда привезёт курьер?"), trust_env=False)
        assert reply.json()["choices"][0]["message"]["content"].endswith("[courier#2]")
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{url}/models", trust_env=False)
