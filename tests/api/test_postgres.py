"""The front door and durable turns on PostgreSQL."""

from pathlib import Path

import pytest

from tests.api.desk import open_door, settings_in

pytestmark = pytest.mark.postgres


async def test_a_conversation_lives_on_postgresql_from_message_to_event(
    postgres_database: str, tmp_path: Path
) -> None:
    async with open_door(settings_in(tmp_path, database=postgres_database)) as door:
        assert (await door.client.get("/readyz")).json()["database"] == "postgresql"
        visit = await door.visit()
        turn = (await visit.answered(await visit.say("stream One Two")))["turn"]
        seen = await visit.events(until="message", after=2)
        assert [kind for _, kind, _ in seen] == ["sentence", "sentence", "message"]
        assert (await visit.get(f"/receipts/{turn}")).json()["outcome"] == "answered"
        assert (await visit.answered(await visit.say("boom")))["handoff"]["reason"] == "internal_error"


async def test_messages_left_by_a_stopped_server_are_answered_by_the_next(
    postgres_database: str, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path, database=postgres_database)
    async with open_door(settings) as door:
        visit = await door.visit()
        await door.house.worker.stop(seconds=0)
        seq = await visit.say("are you there?")
        opened = visit.opened
    async with open_door(settings) as door:
        visit.door = door
        assert (await visit.answered(seq))["text"] == "You said: are you there?"
        assert visit.opened is opened
