"""What is held too long goes by itself; what somebody needs, asked to be kept, or must not be undone, stays."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from agent.domain import ConsentChange
from agent.errors import BadPack
from agent.fake import FixedClock
from agent.pack import load_pack
from agent.records import tables as a
from agent.records.rights_tables import consent_evidence, restrictions
from api.rights.retention import run_retention
from api.settings import ROOT
from tests.api.rights_desk import AGATHA, Scene, furnished, premises_at
from tools.codes import tables as codes

DAYS = load_pack(ROOT / "demo").policy.retention


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 23, 9, 0, tzinfo=UTC))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.heavy])])
async def scene(request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock) -> AsyncIterator[Scene]:
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_database")
    async with premises_at(tmp_path, url=url, clock=clock) as premises:
        yield await furnished(premises)


async def count(scene: Scene, table: Any) -> int:
    async with scene.premises.engine.connect() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


async def test_what_is_old_goes_and_is_counted_and_what_is_needed_stays(
    scene: Scene, clock: FixedClock
) -> None:
    nobody = await scene.records.open_conversation(channel="widget", language="en")
    await scene.records.accept(nobody.id, key="k", text="hello")
    turn = await scene.records.next_batch(nobody.id)
    change = ConsentChange(purpose="memory", granted=True, version="1", text="May I?", language="en")
    await scene.records.consent_outside(nobody.id, change)
    assert await run_retention(scene.premises) == dict.fromkeys([*DAYS.model_dump(), "notes"], 0)
    async with scene.premises.engine.begin() as connection:
        # Boris waits for nobody any more; Agatha's ticket is open, and the anonymous visitor's turn as well.
        closed = update(a.conversations).where(a.conversations.c.id == scene.other)
        await connection.execute(closed.values(holder="closed"))
        done = update(a.tickets).where(a.tickets.c.conversation == scene.other)
        await connection.execute(done.values(state="resolved"))
    clock.time += timedelta(days=(DAYS.conversations or 0) + 1)
    counted = await run_retention(scene.premises, dry=True)
    messages = await count(scene, a.messages)
    assert counted["conversations"] == 1
    assert await count(scene, a.messages) == messages
    found = await run_retention(scene.premises)
    assert found["conversations"] == 1
    assert found["codes"] == 2
    assert found["charges"] == 1
    assert await count(scene, codes.codes) == 0
    assert [m.text for m in await scene.records.messages(scene.other)] == []
    assert await scene.records.messages(scene.talk)
    # A known customer's consents stay in the ledger.
    assert len(await scene.records.consents(scene.other)) == 1
    async with scene.premises.engine.begin() as connection:
        over = update(a.turns).where(a.turns.c.id == turn)
        await connection.execute(over.values(outcome="answered", closed=clock.now()))
    assert (await run_retention(scene.premises))["conversations"] == 1
    assert await scene.records.token_hash(nobody.id) == ""
    assert await count(scene, consent_evidence) == 1
    clock.time += timedelta(days=(DAYS.evidence or 0) + 1)
    assert (await run_retention(scene.premises))["evidence"] == 1
    assert await count(scene, consent_evidence) == 0


async def test_a_note_goes_on_its_own_day_and_not_with_its_conversation(
    scene: Scene, clock: FixedClock
) -> None:
    days = (DAYS.conversations or 0) + 1
    async with scene.premises.engine.begin() as connection:
        await connection.execute(update(a.conversations).values(holder="closed"))
        await connection.execute(update(a.tickets).values(state="resolved"))
        consent = (await connection.execute(select(a.consents.c.id).limit(1))).scalar_one()
        for n, left in enumerate((days - 1, days + 1)):
            row = {
                "id": f"n{n}",
                "customer_id": AGATHA,
                "n": n,
                "kind": "socket",
                "text": "E14",
                "language": "ru",
            }
            where = {"purpose": "memory", "consent": consent, "conversation": scene.talk, "channel": "widget"}
            when = {"seq": 1, "at": clock.now(), "expires": clock.now() + timedelta(days=left)}
            await connection.execute(insert(a.notes).values(**row, **where, **when))
    clock.time += timedelta(days=days)
    assert (await run_retention(scene.premises))["notes"] == 1
    async with scene.premises.engine.connect() as connection:
        assert list(await connection.scalars(select(a.notes.c.id).order_by(a.notes.c.id))) == ["kept", "n1"]


async def test_turn_records_lose_their_words_by_an_age_of_their_own_and_the_transcript_stays(
    scene: Scene, clock: FixedClock
) -> None:
    before = await scene.records.receipt(scene.other, await turn_of(scene, scene.other))
    assert before is not None
    said = [message.text for message in await scene.records.messages(scene.other)]
    clock.time += timedelta(days=(DAYS.records or 0) + 1)
    row = {"customer_id": AGATHA, "since": clock.now(), "by": "vera", "why": "a dispute"}
    async with scene.premises.engine.begin() as connection:
        await connection.execute(insert(restrictions).values(**row))
    assert (await run_retention(scene.premises, dry=True))["records"] == 1
    assert "Борис" in await record_text(scene, scene.other)
    assert (await run_retention(scene.premises))["records"] == 1
    after = await scene.records.receipt(scene.other, before.turn)
    assert after is not None
    assert (after.outcome, after.receipt, after.ms) == (before.outcome, before.receipt, before.ms)
    assert "Борис" not in await record_text(scene, scene.other)
    assert [message.text for message in await scene.records.messages(scene.other)] == said
    # What is restricted keeps everything, and nothing is emptied twice.
    assert "Агафья" in await record_text(scene, scene.talk)
    assert (await run_retention(scene.premises))["records"] == 0


async def turn_of(scene: Scene, talk: Any) -> Any:
    async with scene.premises.engine.connect() as connection:
        found = await connection.execute(select(a.turns.c.id).where(a.turns.c.conversation == talk))
        return found.scalars().first()


async def record_text(scene: Scene, talk: Any) -> str:
    async with scene.premises.engine.connect() as connection:
        rows = await connection.scalars(select(a.turns.c.record).where(a.turns.c.conversation == talk))
        return json.dumps(list(rows), ensure_ascii=False)


async def test_what_is_restricted_stays(scene: Scene, clock: FixedClock) -> None:
    async with scene.premises.engine.begin() as connection:
        await connection.execute(update(a.conversations).values(holder="closed"))
        await connection.execute(update(a.tickets).values(state="resolved"))
        row = {"customer_id": AGATHA, "since": clock.now(), "by": "vera", "why": "a dispute"}
        await connection.execute(insert(restrictions).values(**row))
    clock.time += timedelta(days=(DAYS.conversations or 0) + 1)
    await run_retention(scene.premises)
    assert await scene.records.messages(scene.talk)
    assert await scene.records.events(scene.talk)
    assert not await scene.records.messages(scene.other)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("conversations = 0", "greater than or equal to 1"),
        ("charges = 1", "at least 2"),
        ("talks = 9", "not permitted"),
    ],
)
def test_an_age_that_cannot_be_is_refused_with_its_line(tmp_path: Path, line: str, why: str) -> None:
    for name in ("company.toml", "policy.toml"):
        (tmp_path / name).write_text((ROOT / "demo" / name).read_text("utf-8"), "utf-8")
    policy = tmp_path / "policy.toml"
    name = line.partition(" ")[0]
    lines = [one for one in policy.read_text("utf-8").splitlines() if not one.startswith(f"{name} =")]
    at = lines.index("[retention]")
    policy.write_text("\n".join([*lines[: at + 1], line, *lines[at + 1 :]]), "utf-8")
    with pytest.raises(BadPack) as refused:
        load_pack(tmp_path)
    assert why in str(refused.value)
    assert f"policy.toml:{at + 1}" in str(refused.value) or f"policy.toml:{at + 2}" in str(refused.value)
    assert refused.value.remedy
