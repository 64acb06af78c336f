"""The chain and the loop against a provider of other people's making that fails in every way providers do.

One model name is one scenario. Behind it stands a model of the house: each scenario ends in a right answer or in an
empty draft, for which the turn calls a person, and never in silence.
"""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from agent.domain import Draft
from agent.link import Link
from agent.loop import Loop
from agent.models import ModelChain, ModelSettings, chain
from agent.records.purse import FakePurse
from tests.agent.library import ALLOWING, CountingSteps, LibraryTools, brief, caller, no_status, pack
from tests.aimock import aimock
from tests.npm import NoNode
from tests.scripted import ScriptedModel, says

pytestmark = [pytest.mark.heavy, pytest.mark.asyncio(loop_scope="module")]

RIGHT = "Книгу выдают на 21 день. [rules#2]"
BEHIND = "Продлить её можно один раз. [rules#2]"


def fixture(model: str, response: dict[str, Any], *, after_tool: bool = False, **more: Any) -> dict[str, Any]:
    match = {"model": model, "hasToolResult": after_tool}
    return {"match": match, "response": response, **more}


def error(status: int) -> dict[str, Any]:
    return {"error": {"message": "told to fail", "type": "test", "code": "test"}, "status": status}


def tool(name: str, arguments: str) -> dict[str, Any]:
    return {"toolCalls": [{"name": name, "arguments": arguments}]}


FIXTURES = [
    fixture("text", {"content": RIGHT}),
    fixture("tool", tool("loan_status", '{"book": "Идиот"}')),
    fixture("tool", {"content": "Книга у вас на руках. [tool:loan_status:1]"}, after_tool=True),
    fixture("limited", error(429)),
    fixture("broken-server", error(500)),
    fixture("malformed", {"content": RIGHT}, chaos={"malformedRate": 1.0}),
    fixture("disconnected", {"content": RIGHT}, chaos={"disconnectRate": 1.0}),
    fixture("cut", {"content": RIGHT * 20}, truncateAfterChunks=3),
    fixture("empty", {"content": ""}),
    fixture("refusal", {"content": "", "finishReason": "content_filter"}),
    fixture("truncated", {"content": "Книгу выдают на", "finishReason": "length"}),
    fixture("english", {"content": "A book is lent for 21 days, and the loan can be renewed. [rules#2]"}),
    fixture("invented-tool", tool("delete_reader", "{}")),
    fixture("invented-tool", {"content": RIGHT}, after_tool=True),
    fixture("bad-arguments", tool("loan_status", '{"number": 5}')),
    fixture("bad-arguments", {"content": RIGHT}, after_tool=True),
    fixture("broken-arguments", tool("loan_status", '{"book": "Иди')),
    fixture("ungrounded", {"content": "Книгу выдают навсегда. [rules#9]"}),
    fixture(
        "json", {"content": '{"sentences": [{"text": "Книгу выдают на 21 день.", "refs": ["rules#2"]}]}'}
    ),
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    try:
        with aimock(FIXTURES, folder=tmp_path_factory.mktemp("aimock")) as address:
            yield address
    except NoNode as absent:
        pytest.skip(str(absent))


def writer(url: str, model: str, **settings: Any) -> tuple[Loop, LibraryTools]:
    tools = LibraryTools()
    remote = chain(ModelSettings(main=f"openai:{model}", url=url, key="k", timeout=3.0, **settings)).links[0]
    behind = ScriptedModel(steps=[says(BEHIND)])
    models = ModelChain([remote, Link(name="behind", model=behind, timeout=5.0, local=True)])
    return Loop(models, toolbox=tools, pack=pack(), purse=FakePurse(), gate=ALLOWING), tools


async def draft_of(url: str, model: str, **settings: Any) -> tuple[Draft, list[str], LibraryTools]:
    loop, tools = writer(url, model, **settings)
    steps = CountingSteps()
    draft = await loop.write(brief(who=caller("loans:read", "loans:write")), steps=steps, status=no_status)
    first: Any = steps.done["model:1"]
    return draft, first["data"]["response_metadata"]["tried"], tools


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
async def test_it_answers_in_words(url: str, stream: bool) -> None:
    draft, tried, _ = await draft_of(url, "text", stream=stream)
    assert (draft.model, draft.sentences[0].refs, tried) == ("openai:text", ("rules#2",), [])


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
async def test_a_streamed_call_runs_once_with_its_whole_arguments(url: str, stream: bool) -> None:
    draft, _, tools = await draft_of(url, "tool", stream=stream)
    assert tools.ran == ["loan_status"]
    assert draft.tools[0].arguments == {"book": "Идиот"}
    assert (draft.model, draft.sentences[0].refs) == ("openai:tool", ("tool:loan_status:1",))


FAILURES = {
    "limited": "rate_limited",
    "broken-server": "server",
    "malformed": "unreadable",
    "disconnected": "unreachable",
    "empty": "empty",
    "refusal": "refused",
    "truncated": "truncated",
    "english": "wrong_language",
}


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("model", FAILURES)
async def test_whatever_goes_wrong_the_next_model_answers(url: str, model: str, stream: bool) -> None:
    draft, tried, tools = await draft_of(url, model, stream=stream)
    assert (draft.model, draft.sentences[0].refs) == ("behind", ("rules#2",))
    assert tried[0].startswith(f"openai:{model}: {FAILURES[model]}"), tried
    assert tools.ran == []


async def test_an_answer_cut_off_in_the_middle_of_the_stream_is_no_answer(url: str) -> None:
    draft, tried, _ = await draft_of(url, "cut")
    assert draft.model == "behind"
    assert "unreachable" in tried[0]


async def test_arguments_that_break_off_are_no_call(url: str) -> None:
    draft, _, tools = await draft_of(url, "broken-arguments")
    assert draft.sentences
    assert tools.ran == []


async def test_an_invented_tool_does_not_exist_and_the_model_answers_without_it(url: str) -> None:
    draft, _, tools = await draft_of(url, "invented-tool")
    assert tools.ran == []
    assert draft.sentences[0].refs == ("rules#2",)


async def test_wrong_arguments_come_back_and_the_model_answers_without_them(url: str) -> None:
    draft, _, tools = await draft_of(url, "bad-arguments")
    assert tools.ran == []
    assert [use.fault for use in draft.tools] == ["bad_arguments"]
    assert draft.sentences[0].refs == ("rules#2",)


async def test_a_claim_with_an_invented_reference_is_kept_apart_for_grounding(url: str) -> None:
    draft, _, _ = await draft_of(url, "ungrounded")
    assert draft.sentences[0].refs == ("rules#9",), "grounding knows no such passage: a person is called"


async def test_a_small_model_is_asked_for_json_and_read_as_such(url: str) -> None:
    draft, _, _ = await draft_of(url, "json", profile="small")
    assert (draft.sentences[0].text, draft.sentences[0].refs) == ("Книгу выдают на 21 день.", ("rules#2",))


async def test_told_to_wait_the_model_rests_as_long_as_it_was_told(url: str) -> None:
    loop, _ = writer(url, "limited")
    began = time.monotonic()
    await loop.write(brief(), steps=CountingSteps(), status=no_status)
    breaker = loop.models.links[0].breaker
    assert breaker.state == "open", "one answer with Retry-After is enough"
    assert 0 < breaker.seconds_left <= 60
    assert time.monotonic() - began < 8, "the turn's time is not spent on waiting"
