"""Several processes of one PostgreSQL database: what happens in one wakes those who watch in the other."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from agent.records.engine import connect
from api.around import Sign
from api.notices import DESK, LiveNotices
from api.relay import Relay, relayed
from tools.context import ConversationId

TALK = ConversationId("talk")
SECONDS = 20


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@asynccontextmanager
async def process(url: str) -> AsyncIterator[LiveNotices]:
    """One process's bells, connected with the others; ready when its line is open."""
    engine, notices = connect(url), LiveNotices()
    with notices.watch_desk(DESK) as (every, _):
        async with relayed(engine, notices):
            await until(every.take)
            yield notices
    await engine.dispose()


@pytest.mark.postgres
async def test_a_bell_rung_in_one_process_wakes_customers_and_staff_in_the_other(
    postgres_database: str,
) -> None:
    async with process(postgres_database) as one, process(postgres_database) as other:
        with other.watch(TALK) as customer, other.watch_desk(TALK) as (every, mine):
            one.ring(TALK)
            await until(lambda: customer.stirred and every.stirred and mine.stirred)
            for watcher in (customer, every, mine):
                watcher.take()
            one.ring(ConversationId("another"))
            await until(lambda: every.stirred)
            assert not customer.stirred
            assert not mine.stirred


@pytest.mark.postgres
async def test_presence_in_one_process_is_seen_in_the_other_until_it_ends(postgres_database: str) -> None:
    async with process(postgres_database) as one, process(postgres_database) as other:
        signs = [Sign("online", TALK, source="tab"), Sign("looking", TALK, "olga", "page")]
        for sign in signs:
            one.around.show(sign)
        await until(lambda: other.around.scene(TALK) == one.around.scene(TALK))
        assert other.around.scene(TALK).looking == {"olga"}
        one.around.hide(signs[0])
        await until(lambda: not other.around.scene(TALK).online)
        other.around.show(signs[0])
        await until(lambda: one.around.scene(TALK).online)


@pytest.mark.postgres
async def test_a_line_that_breaks_is_opened_again_and_everybody_looks(postgres_database: str) -> None:
    async with process(postgres_database) as one, process(postgres_database) as other:
        engine = create_async_engine(postgres_database)
        with other.watch(TALK) as customer:
            async with engine.begin() as connection:
                await connection.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%'"
                )
            await until(customer.take)
            one.ring(TALK)
            await until(customer.take)
        await engine.dispose()


def test_a_notice_that_is_none_of_ours_is_left_alone() -> None:
    notices = LiveNotices()
    relay = Relay(create_async_engine("sqlite+aiosqlite://"), notices)
    for news in (
        "no json",
        "[]",
        json.dumps({"from": "x", "news": [["sign", True, "shouting", TALK, "", ""]]}),
        json.dumps({"from": "x", "news": [["sign", True]]}),
        json.dumps({"news": []}),
    ):
        relay.heard(news)
    assert not notices.around.scene(TALK).typing
    relay.heard(json.dumps({"from": "x", "news": [["sign", True, "typing", TALK, "", ""]]}))
    assert notices.around.scene(TALK).typing


async def test_one_process_alone_has_nobody_to_tell() -> None:
    notices = LiveNotices()
    before = notices.spread
    async with relayed(create_async_engine("sqlite+aiosqlite://"), notices):
        assert notices.spread is before
