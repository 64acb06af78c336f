"""Streams of other people's making, heard while they come: real chunks, a cut connection, a tool call after text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from agent.domain import Draft, Sentence, ToolUse
from agent.errors import WriterFailed
from agent.ports import Heard
from tests.agent.library import CountingSteps, LibraryTools, brief, no_status
from tests.agent.test_models_aimock import BEHIND, RIGHT, fixture, writer
from tests.aimock import aimock
from tests.npm import NoNode

pytestmark = [pytest.mark.heavy, pytest.mark.asyncio(loop_scope="module")]

THREE = f"{RIGHT} {BEHIND} {RIGHT}"
FIRST, SECOND = (Sentence(text=said[: -len(" [rules#2]")], refs=("rules#2",)) for said in (RIGHT, BEHIND))
ROWS = (
    '{"sentences": [{"text": "Книгу выдают на 21 день.", "refs": ["rules#2"]},'
    ' {"text": "Продлить её можно один раз.", "refs": ["rules#2"]}]}'
)
BOTH = {
    "content": f"{RIGHT} Сейчас",
    "toolCalls": [{"name": "loan_status", "arguments": '{"book": "Идиот"}'}],
}

FIXTURES = [
    fixture("three", {"content": THREE}, chunkSize=7),
    fixture("rows", {"content": ROWS}, chunkSize=5),
    fixture("cut", {"content": THREE}, chunkSize=7, truncateAfterChunks=8, latency=20),
    fixture("truncated", {"content": THREE[:60], "finishReason": "length"}, chunkSize=7),
    fixture("both", BOTH, chunkSize=7),
    fixture("both", {"content": "Книга у вас на руках. [tool:loan_status:1]"}, after_tool=True, chunkSize=7),
]


@dataclass
class Ear:
    """Lets every sentence leave, up to `enough`."""

    enough: int = 100
    heard: list[Sentence] = field(default_factory=list)
    tools: list[int] = field(default_factory=list)

    @property
    def said(self) -> tuple[str, ...]:
        return tuple(sentence.text for sentence in self.heard)

    async def hear(self, sentence: Sentence, *, tools: Sequence[ToolUse]) -> Heard:
        if len(self.heard) >= self.enough:
            return "over"
        self.heard.append(sentence)
        self.tools.append(len(tools))
        return "left"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    try:
        with aimock(FIXTURES, folder=tmp_path_factory.mktemp("aimock")) as address:
            yield address
    except NoNode as absent:
        pytest.skip(str(absent))


async def drafted(url: str, model: str, ear: Ear, **settings: Any) -> tuple[Draft, LibraryTools]:
    loop, tools = writer(url, model, **settings)
    draft = await loop.write(replace(brief(), listener=ear), steps=CountingSteps(), status=no_status)
    return draft, tools


async def test_sentences_are_heard_before_the_message_is_whole(url: str) -> None:
    ear = Ear()
    draft, _ = await drafted(url, "three", ear)
    assert ear.heard == [FIRST, SECOND]
    assert list(draft.sentences) == [FIRST, SECOND, FIRST], "the last one is finished by the end alone"
    assert draft.streamed


async def test_a_small_models_rows_are_heard_one_by_one(url: str) -> None:
    ear = Ear()
    draft, _ = await drafted(url, "rows", ear, profile="small")
    assert ear.heard == [FIRST, SECOND] == list(draft.sentences)


async def test_a_provider_that_is_asked_for_the_whole_is_not_heard(url: str) -> None:
    ear = Ear()
    draft, _ = await drafted(url, "three", ear, stream=False)
    assert ear.heard == []
    assert not draft.streamed


async def test_a_model_is_stopped_where_nothing_more_will_leave(url: str) -> None:
    ear = Ear(enough=1)
    draft, _ = await drafted(url, "three", ear)
    assert ear.heard == [FIRST]
    assert draft.sentences[0] == FIRST
    assert len(draft.sentences) < 4
    assert draft.model == "openai:three"
    assert draft.cost.completion_tokens > 0, "what was written is counted, though the provider was not asked"


@pytest.mark.parametrize("model", ["cut", "truncated"])
async def test_an_answer_that_breaks_off_after_it_was_heard_is_not_begun_anew_by_another_model(
    url: str, model: str
) -> None:
    ear = Ear()
    with pytest.raises(WriterFailed):
        await drafted(url, model, ear)
    assert ear.heard == [FIRST]


async def test_a_call_after_text_ends_what_is_heard_and_the_answer_goes_on_with_the_result(url: str) -> None:
    ear = Ear()
    draft, tools = await drafted(url, "both", ear)
    assert tools.ran == ["loan_status"]
    assert ear.heard == [FIRST], "what stood beside the call after it is dropped"
    assert ear.tools == [0], "it was said before the tool had run"
    assert [sentence.refs for sentence in draft.sentences] == [("tool:loan_status:1",)]
