"""What webhooks are told: facts of the records' own transactions, ids and outcomes and nothing else."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from agent.domain import Action, Held, ToolUse, Waiting
from agent.errors import BadPack
from agent.pack import load_pack
from agent.records.engine import connect
from agent.records.sql import SqlRecords, create_tables
from agent.records.tables import hooks
from agent.webhooks import EVENTS, Webhook
from tests.contracts.memory import (
    Clock,
    answer,
    card,
    clock,
    escalation,
    granted,
    opened,
    turn_for,
)
from tools.context import ConversationId, CustomerId

__all__ = ["clock"]

ROOT = Path(__file__).resolve().parents[2]


class Told:
    """Records whose facts go to one webhook that wants everything and one that wants hand-offs."""

    def __init__(self, engine: Any, clock: Clock) -> None:
        self.engine = engine
        everything = Webhook(name="crm", url="https://crm.example/")
        handoffs = Webhook(name="desk", url="https://desk.example/", events=("handoff.*", "turn.escalated"))
        self.records = SqlRecords(
            engine,
            clock=clock,
            card=card,
            purposes={},
            webhooks=(everything, handoffs),
        )

    async def rows(self, webhook: str = "crm") -> list[Any]:
        wanted = select(hooks).where(hooks.c.webhook == webhook).order_by(hooks.c.id)
        async with self.engine.connect() as connection:
            return list((await connection.execute(wanted)).all())

    async def types(self, webhook: str = "crm") -> list[str]:
        return [row.type for row in await self.rows(webhook)]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def told(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> AsyncIterator[Told]:
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'r.sqlite'}" if sqlite else request.getfixturevalue("postgres_database")
    engine = connect(url)
    await create_tables(engine)
    yield Told(engine, clock)
    await engine.dispose()


async def test_a_message_its_answer_and_how_the_turn_ended_are_told_in_order(told: Told) -> None:
    id = await opened(told.records)
    turn = await turn_for(told.records, id, "Где мой заказ 1051?")
    used = ToolUse(name="order_status", arguments={"order_id": "1051"}, ok=True, result={"order": "1051"})
    record = answer(turn, id, "Ваш заказ в пути.", confidence=0.9, path="model", tools=(used,))
    assert await told.records.commit(record)
    assert not await told.records.commit(record), "a second commit tells nothing"
    rows = await told.rows()
    assert [(row.n, row.type) for row in rows] == [
        (1, "message.received"),
        (2, "message.sent"),
        (3, "turn.answered"),
    ]
    assert {row.conversation for row in rows} == {id}
    assert rows[0].data == {"channel": "widget", "language": "en", "seq": 1}
    assert rows[1].data == {"channel": "widget", "language": "en", "seq": 2, "author": "ai", "turn": turn}
    assert rows[2].data["tools"] == [{"name": "order_status", "ok": True}]
    assert (rows[2].data["turn"], rows[2].data["confidence"]) == (turn, 0.9)


async def test_words_arguments_and_customers_are_not_in_what_is_written_for_webhooks(told: Told) -> None:
    """Security requirement 24: no personal data where none is needed."""
    id = await opened(told.records, customer_id=CustomerId("c-001"))
    turn = await turn_for(told.records, id, "Я Анна, +7 900 000-00-00")
    used = ToolUse(name="order_status", arguments={"order_id": "1051"}, ok=True, result={"who": "Анна"})
    await told.records.consent(turn, granted())
    await told.records.commit(replace(escalation(turn, id), tools=(used,), question="Я Анна"))
    await told.records.claim(id, operator="olga", name="Ольга", said="Здравствуйте, это Ольга.")
    written = json.dumps([row.data for row in await told.rows()], ensure_ascii=False)
    for secret in ("Анна", "900", "1051", "c-001", "olga", "Ольга", "May I?", "wants a person", "draft"):
        assert secret not in written


async def test_what_is_not_committed_is_not_told(told: Told) -> None:
    id = await opened(told.records)

    async def breaks() -> None:
        async with told.records._page(id) as page:
            page.note("message.received", seq=1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await breaks()
    assert await told.rows() == []
    await told.records.accept(id, key="k", text="hello")
    await told.records.accept(id, key="k", text="hello")
    assert [(row.n, row.type) for row in await told.rows()] == [(1, "message.received")]


async def test_every_change_of_hands_is_told_and_each_webhook_counts_what_it_wants(told: Told) -> None:
    id = await opened(told.records)
    await told.records.commit(escalation(await turn_for(told.records, id, "Позовите человека"), id))
    await told.records.claim(id, operator="olga", name="Olga")
    await told.records.claim(id, operator="olga", name="Olga")
    await told.records.return_to_ai(id, operator="olga")
    await told.records.claim(id, operator="olga", name="Olga")
    await told.records.close(id, operator="olga", said="Bye.")
    await told.records.accept(id, key="again", text="one more thing")
    rows = await told.rows("desk")
    assert [(row.n, row.type) for row in rows] == [
        (1, "turn.escalated"),
        (2, "handoff.queued"),
        (3, "handoff.claimed"),
        (4, "handoff.returned"),
        (5, "handoff.claimed"),
        (6, "handoff.closed"),
        (7, "handoff.reopened"),
    ]
    assert rows[0].data["reason"] == "customer_asked"
    assert rows[1].data["department"] == "care"
    every = await told.rows("crm")
    assert [row.n for row in every] == list(range(1, len(every) + 1))
    same = {row.event for row in every}
    assert all(row.event in same for row in rows), "one fact has one id, whoever is told"


async def test_a_turn_in_which_a_person_had_come_tells_that_its_words_stayed(told: Told) -> None:
    id = await opened(told.records)
    turn = await turn_for(told.records, id, "hello")
    await told.records.claim(id, operator="olga", name="Olga")
    await told.records.commit(answer(turn, id))
    row = (await told.rows())[-1]
    assert (row.type, row.data["withheld"]) == ("turn.answered", True)
    held = await turn_for(told.records, id, "are you there?")
    await told.records.commit(answer(held, id, outcome=Held(), replies=()))
    assert (await told.types())[-1] == "turn.held"


PROPOSAL = {"id": "p-1", "tool": "cancel_order", "arguments": {"order_id": "1051"}}


@pytest.mark.parametrize(
    ("state", "tried", "ends"),
    [
        ("done", True, ["write.confirmed", "write.done"]),
        ("already_done", True, ["write.confirmed", "write.done"]),
        ("refused", True, ["write.confirmed", "write.refused"]),
        ("refused", False, ["write.refused"]),
        ("unknown", True, ["write.confirmed", "write.unknown"]),
        ("handed_over", False, ["write.confirmed", "write.handed_over"]),
        ("expired", True, ["write.confirmed", "write.expired"]),
    ],
)
async def test_a_write_is_told_from_its_proposal_to_its_end(
    told: Told, state: str, tried: bool, ends: list[str]
) -> None:
    id = await opened(told.records)
    asked = await turn_for(told.records, id, "cancel")
    waits = Waiting(what="confirmation", target="p-1")
    await told.records.commit(answer(asked, id, outcome=waits, proposal=PROPOSAL))
    await told.records.accept(id, key="yes", action=Action(kind="confirm", target="p-1"))
    said = await told.records.next_batch(id)
    assert said is not None
    used = ToolUse(name="cancel_order", arguments={"order_id": "1051"}, ok=state == "done", result={})
    tools = (used,) if tried else ()
    await told.records.commit(answer(said, id, closed_proposal=("p-1", state), tools=tools))
    writes = [row for row in await told.rows() if row.type.startswith("write.")]
    assert [row.type for row in writes] == ["write.proposed", *ends]
    assert {(row.data["proposal"], row.data["tool"]) for row in writes} == {("p-1", "cancel_order")}
    if state == "refused":
        assert writes[-1].data["by"] == ("system" if tried else "customer")


async def test_consents_are_told_as_given_refused_or_taken_back(told: Told) -> None:
    customer = CustomerId("c-001")
    one, other = [await opened(told.records, customer_id=customer) for _ in range(2)]
    await told.records.consent(await turn_for(told.records, one, "no"), granted(yes=False))
    turn = await turn_for(told.records, other, "yes")
    await told.records.consent(turn, granted())
    await told.records.consent(turn, granted())
    await told.records.consent_outside(one, granted(yes=False))
    await told.records.consent_outside(one, granted("memory", yes=False), actor="olga")
    rows = [row for row in await told.rows() if row.type.startswith("consent.")]
    assert [(row.conversation, row.type, row.data["purpose"], row.data["by"]) for row in rows] == [
        (one, "consent.refused", "orders:read", "customer"),
        (other, "consent.granted", "orders:read", "customer"),
        (one, "consent.withdrawn", "orders:read", "customer"),
        (one, "consent.refused", "memory", "staff"),
    ]


async def test_without_webhooks_nothing_is_written(told: Told, clock: Clock) -> None:
    quiet = SqlRecords(told.engine, clock=clock, card=card, purposes={})
    id = await opened(quiet)
    await quiet.commit(escalation(await turn_for(quiet, id, "hello"), id))
    assert await told.rows() == []
    assert ConversationId(id)


def pack_with(folder: Path, table: str) -> Path:
    for name in ("company.toml", "policy.toml"):
        (folder / name).write_text((ROOT / "demo" / name).read_text("utf-8"), "utf-8")
    company = folder / "company.toml"
    company.write_text(f"{company.read_text('utf-8')}\n{table}", "utf-8")
    return folder


ONE = '[[webhooks]]\nname = "crm"\nurl = "https://crm.example/mayak"\n'


def test_a_pack_names_its_webhooks(tmp_path: Path) -> None:
    more = 'events = ["handoff.*", "turn.escalated"]\ninclude = ["text"]\n'
    (hook,) = load_pack(pack_with(tmp_path, ONE + more)).company.webhooks
    wanted = [event for event in EVENTS if hook.wants(event)]
    assert "turn.escalated" in wanted
    assert "handoff.claimed" in wanted
    assert "turn.answered" not in wanted
    assert (hook.give_up_hours, hook.keep_days) == (24, 7)


@pytest.mark.parametrize(
    ("table", "what"),
    [
        (ONE + 'events = ["turn.finished"]\n', "there is no event “turn.finished”; there are:"),
        (ONE + "events = []\n", "at least 1 item"),
        (ONE.replace("https://crm.example/mayak", "crm.example"), "is no address"),
        (ONE.replace("https://", "https://user:secret@"), "holds a password"),
        (ONE.replace('"crm"', '"CRM 1"'), "pattern"),
        (ONE + 'secret = "whsec_AAAA"\n', "Extra inputs"),
        (ONE + ONE, "same `name`"),
    ],
)
def test_a_wrong_webhook_is_refused_with_file_and_remedy(tmp_path: Path, table: str, what: str) -> None:
    with pytest.raises(BadPack, match=r"company\.toml") as wrong:
        load_pack(pack_with(tmp_path, table))
    assert what in str(wrong.value)
    assert wrong.value.remedy
