"""The worker: messages of one breath are one turn, a broken or hanging turn never becomes silence."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from agent.records import engine
from api import worker
from tests.api.desk import Door, open_door, settings_in


async def test_messages_of_one_breath_are_answered_together(tmp_path: Path) -> None:
    async with open_door(settings_in(tmp_path, quiet_ms=700)) as door:
        visit = await door.visit()
        first = await visit.say("hello")
        second = await visit.say("it is me")
        one, two = await visit.answered(first), await visit.answered(second)
        assert one["turn"] == two["turn"]
        assert one["text"] == "You said: hello\nit is me"


async def test_the_time_until_a_turn_begins_is_used_to_prepare_it(tmp_path: Path) -> None:
    # The longest window there is, so that a busy machine looks at the message while it is open.
    async with open_door(settings_in(tmp_path, quiet_ms=3_000)) as door:
        visit = await door.visit()
        await visit.answered(await visit.say("hello"))
        assert door.house.building.turn.prepared[0] == ["hello"]


async def test_a_turn_that_could_not_be_prepared_is_decided_all_the_same(tmp_path: Path) -> None:
    async with open_door(settings_in(tmp_path, quiet_ms=200)) as door:
        visit = await door.visit()
        assert (await visit.answered(await visit.say("unprepared")))["text"] == "You said: unprepared"


async def test_a_button_does_not_wait_for_more(tmp_path: Path) -> None:
    async with open_door(settings_in(tmp_path, quiet_ms=60_000)) as door:
        visit = await door.visit()
        await visit.answered(await visit.say(kind="rate", target="t", yes=True))


async def test_a_hanging_turn_ends_with_a_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "GRACE_SECONDS", -29.8)
    async with open_door(settings_in(tmp_path)) as door:
        visit = await door.visit()
        answer = await visit.answered(await visit.say("slow"))
        assert (answer["outcome"], answer["handoff"]["reason"]) == ("escalated", "internal_error")
        door.house.building.turn.gate.set()
        await asyncio.sleep(0.2)
        assert [author for author, _ in await visit.lines()] == ["ai", "customer", "ai"]


async def test_a_conversation_another_process_works_on_is_left_alone_until_its_lease_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "SWEEP_SECONDS", 0.1)
    async with open_door(settings_in(tmp_path)) as door:
        visit = await door.visit()
        records = door.house.building.records
        assert await records.lease(visit.id, "another process", seconds=1.0)
        seq = await visit.say("hello")
        await asyncio.sleep(0.4)
        assert (await visit.get(f"/turns?message={seq}")).json()["turn"] is None
        assert (await visit.answered(seq))["outcome"] == "answered"


async def test_what_was_accepted_before_a_stop_is_answered_after_the_next_start(tmp_path: Path) -> None:
    async with open_door(settings_in(tmp_path)) as door:
        visit = await door.visit()
        turn = door.house.building.turn
        seq = await visit.say("slow start")
        await turn.reached.wait()
        await door.house.worker.stop(seconds=0)
    async with open_door(settings_in(tmp_path)) as door:
        door.house.building.turn.gate.set()
        visit.door = door
        assert (await visit.answered(seq))["text"] == "You said: slow start"
        assert len(await visit.lines()) == 3


async def test_a_locked_database_is_a_problem_with_a_remedy_and_the_same_message_goes_through_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_MS", 100)
    async with open_door(settings_in(tmp_path)) as door:
        visit = await door.visit()
        other = sqlite3.connect(tmp_path / "mayak.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        body = {"key": "once", "text": "hello"}
        refused = await visit.post("/messages", body)
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:mayak:problem:storage_unavailable")
        assert refused.json()["remedy"]
        assert refused.headers["retry-after"]
        other.execute("ROLLBACK")
        other.close()
        accepted = await visit.post("/messages", body)
        assert accepted.status_code == 202
        assert (await visit.answered(accepted.json()["seq"]))["text"] == "You said: hello"


async def test_the_engine_keeps_nothing_of_a_turn_that_has_its_outcome(tmp_path: Path) -> None:
    async with open_door(settings_in(tmp_path)) as door:
        visit = await door.visit()
        await visit.answered(await visit.say("my password is hunter2"))
        await visit.answered(await visit.say("boom hunter2"))
        async with asyncio.timeout(5):
            while await door.house.worker.turns.ended():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("durable.sqlite*"))
    assert b"hunter2" not in kept


async def test_what_a_crash_left_in_the_engine_is_forgotten_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def not_now(self: object, turn: object) -> None:
        return None

    with monkeypatch.context() as patch:
        patch.setattr(worker.Worker, "_forget", not_now)
        async with open_door(settings_in(tmp_path)) as door:
            visit = await door.visit()
            await visit.answered(await visit.say("hello"))
            assert len(await door.house.worker.turns.ended()) == 1
    async with open_door(settings_in(tmp_path)) as door:
        assert await door.house.worker.turns.ended() == frozenset()


def restarts(door: Door) -> float:
    (sample, *_) = next(iter(door.house.metrics.restarts.collect())).samples
    return float(sample.value)


async def test_a_message_that_comes_before_anything_was_sent_gets_the_same_answer(tmp_path: Path) -> None:
    async with open_door(settings_in(tmp_path)) as door:
        visit = await door.visit()
        turn = door.house.building.turn
        first = await visit.say("slow")
        await turn.reached.wait()
        second = await visit.say("and more")
        one, two = await visit.answered(first), await visit.answered(second)
        assert one["turn"] == two["turn"]
        assert one["text"] == "You said: slow\nand more"
        assert turn.began == ["slow", "slow\nand more"]
        assert [author for author, _ in await visit.lines()] == ["ai", "customer", "customer", "ai"]
        assert restarts(door) == 1


async def test_all_that_comes_in_one_breath_after_the_first_message_is_answered_at_once(
    tmp_path: Path,
) -> None:
    async with open_door(settings_in(tmp_path, quiet_ms=500)) as door:
        visit = await door.visit()
        first = await visit.say("slow")
        await door.house.building.turn.reached.wait()
        await visit.say("one")
        last = await visit.say("two")
        assert (await visit.answered(last))["text"] == "You said: slow\none\ntwo"
        assert (await visit.answered(last))["turn"] == (await visit.answered(first))["turn"]
        assert restarts(door) == 1


async def test_a_second_late_message_waits_for_the_next_turn(tmp_path: Path) -> None:
    async with open_door(settings_in(tmp_path)) as door:
        visit = await door.visit()
        turn = door.house.building.turn
        await visit.say("slow first")
        await turn.reached.wait()
        turn.reached.clear()
        second = await visit.say("and more")
        await turn.reached.wait()
        third = await visit.say("and then")
        turn.gate.set()
        assert (await visit.answered(second))["text"] == "You said: slow first\nand more"
        assert (await visit.answered(third))["text"] == "You said: and then"
        assert restarts(door) == 1


async def test_a_request_for_a_person_does_not_wait_for_a_slow_model(tmp_path: Path) -> None:
    async with open_door(settings_in(tmp_path, quiet_ms=60_000)) as door:
        visit = await door.visit()
        await visit.say(kind="say", target="slow")
        await door.house.building.turn.reached.wait()
        seq = await visit.say(kind="person")
        answer = await visit.answered(seq)
        assert (answer["outcome"], answer["handoff"]["reason"]) == ("escalated", "customer_asked")
        assert not door.house.building.turn.gate.is_set()


async def test_what_has_been_shown_is_finished_and_the_late_message_answered_after_it(tmp_path: Path) -> None:
    async with open_door(settings_in(tmp_path)) as door:
        visit = await door.visit()
        turn = door.house.building.turn
        first = await visit.say("show one")
        await turn.reached.wait()
        second = await visit.say("and more")
        turn.gate.set()
        assert (await visit.answered(first))["text"] == "You said: show one"
        assert (await visit.answered(second))["text"] == "You said: and more"
        assert restarts(door) == 0


async def test_a_turn_taken_back_before_a_crash_begins_again_after_the_next_start(tmp_path: Path) -> None:
    async with open_door(settings_in(tmp_path)) as door:
        visit = await door.visit()
        await visit.say("slow")
        await door.house.building.turn.reached.wait()
        await door.house.worker.stop(seconds=0)
        # Accepted by the records, and the process ends before its worker hears of it.
        accepted = await door.house.building.records.accept(visit.id, key="late", text="late")
    async with open_door(settings_in(tmp_path)) as door:
        visit.door = door
        assert (await visit.answered(accepted.seq))["text"] == "You said: slow\nlate"
        assert [author for author, _ in await visit.lines()] == ["ai", "customer", "customer", "ai"]
