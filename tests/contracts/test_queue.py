"""The queue over real tables: who is there and what they have in their hands, and one look after another."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from agent.pack import load_pack
from agent.records.desks import Desks
from agent.records.engine import connect
from agent.records.sql import SqlRecords, create_tables
from agent.records.staff import Person, Role, Staff
from agent.records.tables import metadata
from api.container import AGENT_TEXTS
from api.queueing import Queue
from tests.contracts.memory import PURPOSES, Clock, answer, card, clock, escalation, opened, turn_for
from tools.context import ConversationId
from tools.phrases import Phrases

__all__ = ["clock"]
PACK = load_pack(Path("demo"))
PHRASES = Phrases(AGENT_TEXTS, currency="RUB", timezone=PACK.timezone)
MONDAY_HOURS = 24
"""From the clock's Sunday morning to Monday noon in Moscow."""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'q.sqlite'}" if sqlite else request.getfixturevalue("postgres_database")
    engine = connect(url)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.drop_all)
    await create_tables(engine)
    yield engine
    await engine.dispose()


@pytest.fixture
def records(engine: AsyncEngine, clock: Clock) -> SqlRecords:
    clock.pass_by(MONDAY_HOURS * 3600)
    return SqlRecords(engine, clock=clock, card=card, purposes=PURPOSES)


def queue_on(records: SqlRecords) -> Queue:
    return Queue(records=records, pack=PACK, phrases=PHRASES, clock=records.clock)


async def sits(
    records: SqlRecords, login: str, *, role: Role = "operator", department: str = "", disabled: bool = False
) -> None:
    """Somebody signs in: their console is open from now on, for a minute."""
    staff = Staff(records.engine, clock=records.clock)
    person = Person(
        login=login, name=login, roles=frozenset({role}), department=department, disabled=disabled
    )
    await staff.add(person, password_hash="x")
    await staff.open_session(login, token_hash=f"token of {login}")


async def called(records: SqlRecords, **how: str) -> ConversationId:
    id = await opened(records, **how)
    await records.commit(escalation(await turn_for(records, id), id))
    return id


async def assigned(records: SqlRecords, *ids: ConversationId) -> list[str]:
    return [(await records.conversation(id)).assigned for id in ids]


async def test_who_may_answer_and_has_a_console_open_is_there(records: SqlRecords, clock: Clock) -> None:
    await sits(records, "left-early")
    clock.pass_by(61)
    await sits(records, "olga", department="care")
    await sits(records, "boss", role="admin")
    await sits(records, "kirill", role="curator")
    await sits(records, "gone", disabled=True)
    await Desks(records.engine).set("olga", languages=("en",), capacity=2)
    clock.pass_by(60)
    boss, olga = await records.operators()
    assert (boss.login, boss.department, boss.languages, boss.capacity) == ("boss", "", (), 0)
    assert (olga.login, olga.department, olga.languages, olga.capacity) == ("olga", "care", ("en",), 2)
    clock.pass_by(1)
    assert await records.operators() == ()


async def test_what_somebody_holds_or_was_chosen_for_is_their_load(records: SqlRecords) -> None:
    await sits(records, "olga")
    held, chosen, closed = await called(records), await called(records), await called(records)
    await records.claim(closed, operator="olga", name="Olga")
    await records.close(closed, operator="olga")
    await records.claim(held, operator="olga", name="Olga")
    await queue_on(records).look()
    assert await assigned(records, held, chosen) == ["", "olga"]
    (olga,) = await records.operators()
    assert olga.load == 2


async def test_a_look_shares_out_what_waits(records: SqlRecords) -> None:
    await sits(records, "olga")
    await sits(records, "ivan")
    ids = [await called(records) for _ in range(4)]
    assert await queue_on(records).look() == 4
    assert sorted(await assigned(records, *ids)) == ["ivan", "ivan", "olga", "olga"]
    assert await queue_on(records).look() == 0


async def test_nobody_is_given_more_than_they_can_take(records: SqlRecords) -> None:
    await sits(records, "olga")
    await Desks(records.engine).set("olga", capacity=1)
    ids = [await called(records) for _ in range(2)]
    await queue_on(records).look()
    assert await assigned(records, *ids) == ["olga", ""]


async def test_two_processes_that_look_at_once_tell_the_customer_once(
    records: SqlRecords, clock: Clock
) -> None:
    id = await called(records)
    queue = queue_on(records)
    await queue.look()
    clock.pass_by(121)
    done = await asyncio.gather(*(queue_on(records).look() for _ in range(4)))
    assert sum(done) == 1
    told = [m.text for m in await records.messages(id) if m.author == "system"]
    assert told == [PHRASES.say("person.later", "en")]


async def test_from_a_call_in_the_evening_to_an_answer_in_the_morning(
    records: SqlRecords, clock: Clock
) -> None:
    """Nobody accepts, the hours end, the server is another one in the morning: the question is still there."""
    id = await called(records)
    queue = queue_on(records)
    await queue.look()
    clock.pass_by(8 * 3600)  # It is eight in the evening in Moscow.
    await queue.look()
    last = (await records.messages(id))[-1]
    assert last.text == PHRASES.say("person.gone", "en", when="tomorrow at 09:00")
    assert [button.action.kind for button in last.buttons] == ["ai"]
    clock.pass_by(12 * 3600)
    assert await records.due_events() == ()
    clock.pass_by(3600)
    another = SqlRecords(records.engine, clock=clock, card=card, purposes=PURPOSES)
    await sits(another, "olga")
    await queue_on(another).look()
    assert await assigned(another, id) == ["olga"]


async def test_a_silent_claim_comes_back_and_goes_to_somebody_else(records: SqlRecords, clock: Clock) -> None:
    id = await called(records)
    await records.claim(id, operator="olga", name="Olga")
    queue = queue_on(records)
    await queue.look()
    assert (await records.conversation(id)).stage == "person"
    clock.pass_by(301)
    await sits(records, "ivan")
    await sits(records, "olga")
    await queue.look()
    await queue.look()
    state = await records.conversation(id)
    assert (state.stage, state.assigned) == ("queued", "ivan")
    assert [m.author for m in await records.messages(id)].count("system") == 1


async def test_who_answers_is_left_alone_and_so_is_the_ai(records: SqlRecords, clock: Clock) -> None:
    held, talk = await called(records), await opened(records)
    await records.claim(held, operator="olga", name="Olga")
    await records.person_says(held, "Looking.", operator="olga", name="Olga")
    await records.commit(answer(await turn_for(records, talk), talk))
    before = [await records.conversation(id) for id in (held, talk)]
    clock.pass_by(86_400)
    assert await queue_on(records).look() == 0
    assert [await records.conversation(id) for id in (held, talk)] == before


async def test_one_that_cannot_be_passed_on_holds_up_nobody_behind_it(
    records: SqlRecords, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = await called(records)
    clock.pass_by(1)
    behind = await called(records)
    await sits(records, "olga")
    pass_along = records.pass_along

    async def failing(conversation: ConversationId, *given: Any, **how: Any) -> bool:
        if conversation == stuck:
            raise RuntimeError("broken")
        return await pass_along(conversation, *given, **how)

    with monkeypatch.context() as broken:
        broken.setattr(records, "pass_along", failing)
        assert await queue_on(records).look() == 1
    assert await assigned(records, stuck, behind) == ["", "olga"]
    assert [case.conversation for case in await records.due_events()] == [stuck]
