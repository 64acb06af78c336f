"""A customer who is forgotten is gone from tables and files, byte by byte; what must stay names nobody."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from agent.records import tables as a
from agent.records.audit import SqlAudit
from agent.records.errors import UnknownConversation, UnknownTurn
from agent.records.rights_tables import consent_evidence, erasures
from api.durable import JsonSerializer
from api.rights.erasing import UNDER_WAY
from api.rights.erasures import Erasures, StillTalking
from api.rights.pseudonym import proof, pseudonyms
from api.rights.registry import held
from api.rights.scrub import scrub
from api.rights.subject import TABLES, Subject, subject_named, subject_of_customer
from knowledge.keeping import curation_tables as k
from tests.api.desk import SECRET
from tests.api.rights_desk import (
    AGATHA,
    BORIS,
    MAIL,
    NAME,
    NOTE,
    PHONE,
    SAYS,
    STREET,
    Scene,
    furnished,
    premises_at,
)
from tools import tables as t
from tools.context import CustomerId

NAMED = (AGATHA, NAME, NAME.lower(), PHONE, MAIL, STREET, NOTE, SAYS, "гелиотроп", "TR-88112277")


def left_in(folder: Path, *words: str) -> dict[str, list[str]]:
    """Return which words stand as bytes in which files: as UTF-8, and as JSON escapes them."""
    found: dict[str, list[str]] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            hits = [w for w in words if w.encode() in data or json.dumps(w)[1:-1].encode() in data]
            if hits:
                found[path.name] = hits
    return found


async def named(scene: Scene, id: str) -> Subject:
    async with scene.premises.engine.connect() as connection:
        return await subject_named(connection, id)


async def asked(scene: Scene, id: str, *, whole: bool = False) -> str:
    return await Erasures(scene.premises).ask(await named(scene, id), whole=whole)


def engine_with(scene: Scene, words: str) -> None:
    """Make the durable engine's tables, with a step of the customer's turn left in them."""
    engine = sa.create_engine(scene.premises.settings.durable_url)
    with engine.begin() as connection:
        for one in held():
            if one.room == "engine":
                columns = ", ".join(f'"{column}"' for column in sorted(one.columns))
                connection.exec_driver_sql(f"CREATE TABLE {one.table} ({columns})")
        row = (scene.turn, JsonSerializer().serialize(words))
        connection.exec_driver_sql("INSERT INTO workflow_status (workflow_uuid, inputs) VALUES (?, ?)", row)
        connection.exec_driver_sql("INSERT INTO operation_outputs (workflow_uuid, output) VALUES (?, ?)", row)
    engine.dispose()


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with premises_at(tmp_path) as premises:
        yield await furnished(premises)


async def test_after_the_job_is_done_no_byte_of_the_customer_is_left_in_any_file(
    scene: Scene, tmp_path: Path
) -> None:
    engine_with(scene, SAYS)
    (tmp_path / "visits").mkdir()
    (tmp_path / "visits" / f"{scene.talk}.json").write_text(json.dumps({"id": scene.talk, "token": "t"}))
    (tmp_path / "outbox").mkdir()
    (tmp_path / "outbox" / "1.txt").write_text(f"To: {MAIL}\nSubject: code\n\n123456\n", "utf-8")
    (tmp_path / "outbox" / "2.txt").write_text("To: b@x.example\nSubject: code\n\n123456\n", "utf-8")
    words = (*NAMED, scene.talk, scene.turn)
    assert left_in(tmp_path, *words)
    tomb = await Erasures(scene.premises).carry_out(await asked(scene, AGATHA))
    assert left_in(tmp_path, *words) == {}
    assert tomb.state == "done"
    assert tomb.counts["conversations"] == 1
    assert tomb.counts["workflow_status"] == 1
    assert tomb.counts["files"] == 2
    assert (tmp_path / "outbox" / "2.txt").exists()
    assert tomb.counts["audit"] >= 1
    assert (await SqlAudit(scene.premises.engine, clock=scene.premises.clock).verified()).holds


async def test_the_other_customer_keeps_everything_and_the_books_keep_the_order(scene: Scene) -> None:
    async with scene.premises.engine.connect() as connection:
        before = [
            (
                await connection.execute(
                    select(TABLES[one.table]).where(TABLES[one.table].c[column] == BORIS)
                )
            ).all()
            for one in held()
            for column, key in one.by.items()
            if key == "customer"
        ]
    await Erasures(scene.premises).carry_out(await asked(scene, AGATHA))
    async with scene.premises.engine.connect() as connection:
        after = [
            (
                await connection.execute(
                    select(TABLES[one.table]).where(TABLES[one.table].c[column] == BORIS)
                )
            ).all()
            for one in held()
            for column, key in one.by.items()
            if key == "customer"
        ]
        orders = (await connection.execute(select(t.orders).order_by(t.orders.c.id))).all()
        gaps = (await connection.execute(select(k.gaps))).one()
    assert after == before
    assert [row.total for row in orders] == [100, 100]
    assert orders[0].owner.startswith("erased-")
    # Others ask the same: the gap goes on in their words.
    assert (gaps.question, gaps.members, gaps.examples) == (
        "Как вернуть люстру?",
        ["another"],
        ["Как вернуть люстру?"],
    )


async def test_consents_stay_as_evidence_under_a_pseudonym_and_nothing_leads_back(scene: Scene) -> None:
    subject = await named(scene, AGATHA)
    await Erasures(scene.premises).carry_out(await asked(scene, AGATHA))
    async with scene.premises.engine.connect() as connection:
        rows = (await connection.execute(select(consent_evidence))).mappings().all()
        consents = (await connection.execute(select(a.consents.c.customer_id))).scalars().all()
    assert consents == [BORIS]
    assert [(row["purpose"], row["granted"], row["subject"]) for row in rows] == [
        ("orders:read", True, pseudonyms(subject, SECRET)[0])
    ]
    assert pseudonyms(subject, "another secret") != pseudonyms(subject, SECRET)


async def test_a_tombstone_names_nobody_and_proves_its_figures(scene: Scene) -> None:
    erasing = Erasures(scene.premises)
    tomb = await erasing.carry_out(await asked(scene, AGATHA))
    async with scene.premises.engine.connect() as connection:
        row = (await connection.execute(select(erasures))).one()
    assert (row.customer_id, row.conversation) == (None, None)
    assert tomb.done is not None
    told = {"id": tomb.id, "done": tomb.done.isoformat(), "counts": tomb.counts, "kept": []}
    assert tomb.proof == proof(told, SECRET)
    assert tomb.proof != proof({**told, "counts": {}}, SECRET)
    assert await erasing.carry_out(tomb.id) == tomb
    assert await erasing.find("nothing") is None


async def test_asked_twice_it_is_one_request_and_erased_twice_nothing_is_left_to_do(scene: Scene) -> None:
    erasing = Erasures(scene.premises)
    first, second = await asked(scene, AGATHA), await asked(scene, AGATHA)
    assert first == second
    assert await erasing.waiting() == (first,)
    await erasing.carry_out(first)
    assert await erasing.waiting(left=True) == ()
    async with scene.premises.engine.connect() as connection:
        gone = await subject_of_customer(connection, AGATHA)
    again = await erasing.carry_out(await erasing.ask(gone))
    assert again.counts == {}


async def test_while_an_order_is_under_way_the_shop_keeps_its_customer_and_says_why(scene: Scene) -> None:
    async with scene.premises.engine.begin() as connection:
        await connection.execute(sa.update(t.orders).values(active=1, status="shipped"))
    tomb = await Erasures(scene.premises).carry_out(await asked(scene, AGATHA))
    assert tomb.kept == (UNDER_WAY,)
    async with scene.premises.engine.connect() as connection:
        kept = await connection.scalars(select(t.customers.c.name).where(t.customers.c.id == AGATHA))
        assert list(kept) == [NAME]
        talks = await connection.scalars(select(a.conversations.c.customer_id))
        assert list(talks) == [BORIS]
    whole = await Erasures(scene.premises).carry_out(await asked(scene, AGATHA, whole=True))
    assert whole.kept == ()
    assert whole.counts["shop_customers"] == 1


async def test_a_turn_that_runs_is_waited_for_and_nothing_is_written_after(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await scene.records.lease(scene.talk, "a worker", seconds=60)
    erasing = Erasures(scene.premises)
    job = asyncio.create_task(erasing.carry_out(await asked(scene, AGATHA)))
    await asyncio.sleep(0.3)
    assert not job.done()
    assert (await scene.records.conversation(scene.talk)).customer_id == AGATHA
    await scene.records.accept(scene.talk, key="late", text="и ещё")
    await scene.records.release(scene.talk, "a worker")
    await job
    with pytest.raises(UnknownConversation):
        await scene.records.accept(scene.talk, key="later", text="после")
    with pytest.raises(UnknownTurn):
        await scene.records.situation(scene.turn)
    assert not await scene.records.lease(scene.talk, "a worker", seconds=60)
    monkeypatch.setattr("api.rights.erasures.PATIENCE_SECONDS", 0.2)
    assert await scene.records.lease(scene.other, "a worker", seconds=60)
    request = await asked(scene, BORIS)
    with pytest.raises(StillTalking):
        await erasing.carry_out(request)
    assert await erasing.waiting(left=True) == (request,)


async def test_a_conversation_opened_meanwhile_goes_too(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    erasing, opened = Erasures(scene.premises), []
    held_before = erasing._hold

    async def hold(subject: Subject, *, owner: str) -> None:
        await held_before(subject, owner=owner)
        if not opened:
            opened.append(
                await scene.records.open_conversation(
                    channel="widget", language="ru", customer_id=AGATHA, assurance="verified"
                )
            )

    monkeypatch.setattr(erasing, "_hold", hold)
    tomb = await erasing.carry_out(await asked(scene, AGATHA))
    assert tomb.counts["conversations"] == 2
    with pytest.raises(UnknownConversation):
        await scene.records.conversation(opened[0].id)


async def test_a_messengers_chat_of_somebody_forgotten_begins_anew_as_nobody_known(scene: Scene) -> None:
    await Erasures(scene.premises).carry_out(await asked(scene, AGATHA))
    anew = await scene.records.open_conversation(
        channel="telegram", language="ru", external_id=f"chat-of-{AGATHA}"
    )
    assert (anew.id != scene.talk, anew.customer_id, anew.disclosed) == (True, None, False)
    assert await scene.records.consents_of(CustomerId(AGATHA)) == ()


async def test_a_conversation_of_nobody_known_is_erased_alone(scene: Scene) -> None:
    nobody = await scene.records.open_conversation(channel="widget", language="en")
    await scene.records.accept(nobody.id, key="k", text="my secret is heliotrope")
    tomb = await Erasures(scene.premises).carry_out(await asked(scene, nobody.id))
    assert tomb.counts == {"conversations": 1, "events": 1, "inbox": 1, "messages": 1}
    assert (await scene.records.conversation(scene.talk)).customer_id == AGATHA


@pytest.mark.heavy
@pytest.mark.postgres
async def test_no_table_file_of_postgresql_holds_a_byte_of_the_customer(
    postgres_database: str, tmp_path: Path
) -> None:
    async with premises_at(tmp_path, url=postgres_database) as premises:
        scene = await furnished(premises)
        async with premises.engine.connect() as connection:
            folder = (await connection.execute(sa.text("SHOW data_directory"))).scalar_one()
            name = premises.engine.url.database
            of = sa.text("SELECT oid FROM pg_database WHERE datname = :name")
            oid = (await connection.execute(of, {"name": name})).scalar_one()
        tables = Path(folder) / "base" / str(oid)
        words = (*NAMED, scene.talk, scene.turn)
        scrub(postgres_database, [])
        assert left_in(tables, *words)
        await Erasures(premises).carry_out(await asked(scene, AGATHA))
        assert left_in(tables, *words) == {}
