"""One contract for everything that keeps suggested answers: what is offered, what became of it, how far it was changed."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.records.engine import connect
from agent.records.sql import SqlRecords, create_tables
from agent.records.suggestions import FakeSuggestions, SqlSuggestions
from agent.records.tables import metadata
from agent.suggestions import Figures, Suggestion, Suggestions
from tests.contracts.memory import CITED, Clock, card, clock
from tools.context import ConversationId

__all__ = ["clock"]

ANNA, BORIS = ConversationId("anna"), ConversationId("boris")


@pytest.fixture(params=["fake", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def kept(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> AsyncIterator[Suggestions]:
    if request.param == "fake":
        yield FakeSuggestions()
        return
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 's.sqlite'}" if sqlite else request.getfixturevalue("postgres_database")
    engine = connect(url)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.drop_all)
    await create_tables(engine)
    records = SqlRecords(engine, clock=clock, card=card, purposes={})
    for id in (ANNA, BORIS):
        await records.open_conversation(channel="widget", language="ru", id=id, token_hash="x")
    yield SqlSuggestions(engine)
    await engine.dispose()


def one(
    clock: Clock, id: str = "s1", *, conversation: ConversationId = ANNA, text: str = "14 дней."
) -> Suggestion:
    return Suggestion(
        id=id,
        conversation=conversation,
        seq=1,
        text=text,
        citations=(CITED,),
        sure=True,
        by="olga",
        at=clock.now(),
    )


class TestSuggestions:
    async def test_what_is_offered_is_read_back_whole_and_by_conversation(
        self, kept: Suggestions, clock: Clock
    ) -> None:
        assert await kept.offered(ANNA) is None
        await kept.offer(one(clock))
        assert await kept.offered(ANNA) == one(clock)
        assert await kept.offered(BORIS) is None

    @pytest.mark.parametrize(
        ("taken", "text", "state", "far"),
        [
            ("s1", " 14  дней.", "kept", 0.0),
            ("s1", "15 дней.", "edited", 0.125),
            ("", "14 дней.", "discarded", None),
            ("other", "14 дней.", "discarded", None),
        ],
    )
    async def test_a_reply_decides_it_once(
        self, kept: Suggestions, clock: Clock, taken: str, text: str, state: str, far: float | None
    ) -> None:
        await kept.offer(one(clock))
        done = await kept.settle(ANNA, taken=taken, reply=7, text=text, at=clock.now())
        assert done is not None
        assert (done.state, done.distance, done.reply) == (state, far, 7)
        assert await kept.offered(ANNA) is None
        assert await kept.settle(ANNA, taken=taken, reply=8, text=text, at=clock.now()) is None

    async def test_a_newer_one_takes_its_place(self, kept: Suggestions, clock: Clock) -> None:
        await kept.offer(one(clock))
        clock.pass_by(1)
        await kept.offer(one(clock, "s2"))
        offered = await kept.offered(ANNA)
        assert offered is not None
        assert offered.id == "s2"
        assert (await kept.figures(since=clock.now() - timedelta(days=1))).discarded == 1

    async def test_figures_count_what_was_decided_since_a_moment(
        self, kept: Suggestions, clock: Clock
    ) -> None:
        assert (await kept.figures(since=clock.now())).unchanged is None
        await kept.offer(one(clock, "old"))
        clock.pass_by(60)
        since = clock.now()
        for n, (taken, text) in enumerate((("1", "14 дней."), ("2", "15 дней."), ("", "Иначе."))):
            await kept.offer(one(clock, str(n + 1), conversation=BORIS))
            await kept.settle(BORIS, taken=taken, reply=n, text=text, at=clock.now())
        await kept.offer(one(clock, "4", conversation=BORIS))
        told = await kept.figures(since=since)
        assert told == Figures(suggested=4, kept=1, edited=1, discarded=1, median_distance=0.0625)
        assert told.unchanged == pytest.approx(1 / 3)
