"""An encoder outside the company reads a question only where it may leave; words, letters and encoders of the house always do."""

from collections.abc import Sequence
from datetime import UTC, datetime

from knowledge.embed.fake import FakeEmbedder
from knowledge.embed.openai import OpenAIEmbedder
from knowledge.embed.port import Vectors, is_outside
from knowledge.embed.remembered import Remembered
from knowledge.types import Query
from tests.knowledge.test_search import PASSAGES, search_over


class Outside(FakeEmbedder):
    """An encoder of another company; `heard` is what it was given to read of what people ask."""

    outside = True

    def __init__(self, name: str = "outside") -> None:
        super().__init__(name=name)
        self.heard: list[str] = []

    def queries(self, texts: Sequence[str]) -> Vectors:
        self.heard += texts
        return super().queries(texts)


async def test_without_leave_the_question_stays_and_is_answered_all_the_same() -> None:
    outside = Outside()
    search = search_over(PASSAGES, outside)
    for ask in (search.search, search.story):
        found = await ask(Query("возвраты товаров", context=("здравствуйте",), now=datetime.now(UTC)))
        assert found.hits[0].passage.document == "returns"
    await search.expect("возвраты товаров")
    assert outside.heard == []
    found = await search.search(Query("возвраты товаров", may_leave=True))
    assert found.hits[0].passage.document == "returns"
    assert outside.heard


async def test_an_encoder_of_the_house_reads_it_beside_one_that_may_not() -> None:
    outside, own = Outside(), FakeEmbedder()
    for embedders in ((outside, own), (own, outside)):
        found = await search_over(PASSAGES, *embedders).search(Query("возвраты товаров"))
        assert found.hits[0].passage.document == "returns"
        assert any(name.startswith(("first", "second")) for name in found.hits[0].parts)
    assert outside.heard == []


def test_an_encoder_behind_an_address_is_outside_until_it_is_said_to_be_ones_own() -> None:
    assert is_outside(Remembered(OpenAIEmbedder("m", url="http://10.0.0.7/v1")))
    assert not is_outside(Remembered(OpenAIEmbedder("m", url="http://10.0.0.7/v1", outside=False)))
    assert not is_outside(FakeEmbedder())
