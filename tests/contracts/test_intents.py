"""One contract for every book of intents: in memory, SQLite, PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from tests.tools.loaded import NOW
from tests.tools.shop import ANNA
from tools.errors import Rejected
from tools.intents.fake import FakeIntents
from tools.intents.port import Intent, Intents
from tools.intents.sql import SqlIntents
from tools.proposal import Proposal
from tools.tables import create_tables

PROPOSAL = Proposal.made(
    "cancel_order", owner=ANNA, arguments={"order_id": "1051"}, facts={"total": 4290}, version="v1", now=NOW
)
INTENT = Intent.of(PROPOSAL, key="k", system="tryton", thing="tryton sale 1051@v1", now=NOW)
LATER = NOW + timedelta(minutes=5)


@pytest.fixture(params=["fake", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def intents(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Intents]:
    if request.param == "fake":
        yield FakeIntents()
        return
    url = f"sqlite+aiosqlite:///{tmp_path / 'intents.db'}"
    engine = create_async_engine(
        request.getfixturevalue("postgres_database") if request.param == "postgres" else url
    )
    await create_tables(engine)
    yield SqlIntents(engine)
    await engine.dispose()


class TestIntents:
    async def test_the_first_to_begin_has_it_and_the_second_reads_what_stands_there(
        self, intents: Intents
    ) -> None:
        assert await intents.find("k") is None
        assert await intents.begin(INTENT) is None
        assert await intents.begin(replace(INTENT, begun=LATER)) == INTENT
        assert await intents.find("k") == INTENT

    async def test_ten_at_once_have_one_first(self, intents: Intents) -> None:
        found = await asyncio.gather(*(intents.begin(INTENT) for _ in range(10)))
        assert sorted(known is None for known in found) == [False] * 9 + [True]

    async def test_one_version_of_a_thing_is_written_under_one_key(self, intents: Intents) -> None:
        await intents.begin(INTENT)
        with pytest.raises(Rejected) as wrong:
            await intents.begin(replace(INTENT, key="other"))
        assert wrong.value.reason == "changed"
        assert await intents.begin(replace(INTENT, key="other", thing="tryton sale 1051@v2")) is None

    async def test_what_is_done_stays_done(self, intents: Intents) -> None:
        await intents.begin(INTENT)
        await intents.done("k", now=LATER)
        await intents.forget("k")
        assert await intents.find("k") == replace(INTENT, done=LATER)
        assert not await intents.take("k", begun=NOW, now=LATER)

    async def test_what_the_system_told_of_it_is_kept_with_it(self, intents: Intents) -> None:
        await intents.begin(INTENT)
        await intents.done("k", now=LATER, facts={"number": 104, "subject": "x"})
        assert await intents.find("k") == replace(INTENT, done=LATER, facts={"number": 104, "subject": "x"})

    async def test_what_changed_nothing_leaves_key_and_thing_free(self, intents: Intents) -> None:
        await intents.begin(INTENT)
        await intents.forget("k")
        assert await intents.find("k") is None
        assert await intents.begin(replace(INTENT, key="other")) is None

    async def test_what_was_left_unfinished_is_taken_by_one(self, intents: Intents) -> None:
        await intents.begin(INTENT)
        taken = await asyncio.gather(*(intents.take("k", begun=NOW, now=LATER) for _ in range(5)))
        assert sorted(taken) == [False] * 4 + [True]
        assert await intents.find("k") == replace(INTENT, begun=LATER)
        assert not await intents.take("unknown", begun=NOW, now=LATER)
