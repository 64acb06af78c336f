"""Curators' decisions on a built house: the real turn, the real library, a small pack of questions."""

import asyncio
import json
import re
import shutil
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from agent.domain import Escalated, Reply, Ticket, TurnRecord
from api.commands.knowledge import app
from api.container import open_building
from api.curation import Curation
from api.settings import ROOT, BadSetting, Settings
from knowledge.errors import WrongState
from knowledge.types import DocumentId, Query
from tests.migrated import migrated

RETURNS, GIFTS = DocumentId("returns"), DocumentId("gifts")
LIVE = "# Возврат товара\n\n## Сроки возврата\n\nВернуть исправный товар можно в течение 14 дней после получения.\n"
NEW = LIVE.replace("14 дней", "30 дней")
DELIVERY = "# Доставка\n\n## Курьер\n\nКурьер по Москве стоит 390 рублей и приезжает на следующий день.\n"
QUESTIONS = """
- {q: "В течение скольких дней можно вернуть исправный товар?", language: ru, document: returns, contains: "14 дней"}
- {q: "Сколько стоит курьер по Москве?", language: ru, document: delivery, contains: "390 рублей"}
- {q: "Какая завтра погода?", language: ru, document: null, kind: outside}
"""
WRAP = "Сколько стоит подарочная упаковка?"
REPLY = "Подарочная упаковка стоит 90 рублей за одну коробку."


@pytest.fixture
def settings(tmp_path):
    company = tmp_path / "company"
    shutil.copytree(ROOT / "demo", company, ignore=shutil.ignore_patterns("knowledge", "sources"))
    (company / "questions.yaml").write_text(QUESTIONS, "utf-8")
    # The fake embedder is hardly ever sure.
    policy = (company / "policy.toml").read_text("utf-8")
    (company / "policy.toml").write_text(re.sub(r"(?m)^answer = .*$", "answer = 0.05", policy), "utf-8")
    return Settings(data=tmp_path / "data", company=company, embedder="fake", sender="outbox")


@asynccontextmanager
async def opened(settings):
    settings.data.mkdir(exist_ok=True)
    await asyncio.to_thread(migrated, settings.database_url)
    async with open_building(settings) as building:
        yield building


@pytest.fixture
async def building(settings):
    async with opened(settings) as building:
        for name, title, text in ((RETURNS, "Возврат товара", LIVE), ("delivery", "Доставка", DELIVERY)):
            await building.library.save_draft(DocumentId(name), text, title=title, language="ru", by="anna")
            await building.library.publish(DocumentId(name), by="anna")
        yield building


@pytest.fixture
def curation(building):
    async def no_conflicts(overlay):
        return ()

    return Curation(building, conflicts=no_conflicts)


async def draft(building, text=NEW):
    await building.library.save_draft(RETURNS, text, title="Возврат товара", language="ru", by="anna")


async def asked_in_vain(building, text=WRAP, reply=REPLY):
    records = building.records
    id = (await records.open_conversation(channel="widget", language="ru")).id
    await records.accept(id, key="a", text=text)
    turn = await records.next_batch(id)
    record = TurnRecord(
        turn=turn,
        conversation=id,
        outcome=Escalated(reason="not_sure"),
        language="ru",
        replies=(Reply(text="Передаю человеку."),),
        confidence=0.1,
        ms={"retrieval": 2.0},
        holder="queued",
        ticket=Ticket(reason="not_sure", department="care", summary=text),
    )
    await records.commit(record)
    await records.claim(id, operator="olga", name="Ольга")
    if reply:
        await records.person_says(id, reply, operator="olga", name="Ольга")
    return id


async def test_a_preview_answers_as_the_agent_would_and_says_what_changes(building, curation):
    await draft(building)
    change = await curation.preview(RETURNS, by="anna")
    assert (change.preview.asked, change.preview.unchanged, change.base, change.version) == (3, 2, 1, 2)
    (one,) = change.preview.differences
    assert one.question.origin == "pack"
    assert (one.before.outcome, one.after.outcome) == ("answered", "answered")
    assert "14 дней" in one.before.text
    assert "30 дней" in one.after.text
    assert (one.verdict, one.why) == ("worse", "gold_lost")
    assert one.after.citations[0].passage == "returns@2#1"


async def test_the_same_preview_twice_is_the_same_and_leaves_no_trace_with_customers(building, curation):
    await draft(building)
    first, second = [(await curation.preview(RETURNS, by="anna")).preview for _ in range(2)]
    assert replace(first, ms=0.0) == replace(second, ms=0.0)
    assert await curation.questions.latest(10) == ()
    assert (await building.library.search(Query("Сколько дней на возврат?"))).hits[
        0
    ].passage.id == "returns#1"


async def test_real_questions_are_asked_beside_the_packs(building, curation):
    await asked_in_vain(building, "Можно вернуть товар за 20 дней? Меня зовут Анна")
    asked = await curation.asked(last=10)
    assert [one.origin for one in asked] == ["pack", "pack", "pack", "customer"]
    assert "Анна" not in asked[-1].text
    assert [one.origin for one in await curation.asked(last=0)] == ["pack"] * 3


async def test_publishing_a_change_records_the_decision_and_is_live(building, curation):
    await draft(building)
    change = await curation.preview(RETURNS, by="anna")
    with pytest.raises(WrongState, match="get worse"):
        await curation.publish(change.id, by="boris")
    assert (await building.library.catalogue.document(RETURNS)).version == 1
    done = await curation.publish(change.id, by="boris", accepting=frozenset({"worse"}), why="новые правила")
    assert (done.state, done.decided_by, done.accepted["worse"]) == ("published", "boris", 1)
    assert (await building.library.catalogue.document(RETURNS)).version == 2
    event = (await building.library.catalogue.events(RETURNS))[0]
    assert (event.action, event.by, event.why) == (
        "published",
        "boris",
        f"новые правила [change {change.id}]",
    )


async def test_a_change_is_stale_once_another_version_counts(building, curation):
    await draft(building)
    change = await curation.preview(RETURNS, by="anna")
    await building.library.publish(RETURNS, by="somebody")
    with pytest.raises(WrongState, match="Preview the draft again"):
        await curation.publish(change.id, by="boris", accepting=frozenset({"worse"}))


async def test_a_decision_that_a_crash_cut_off_is_carried_to_its_end(building, curation):
    await draft(building)
    change = await curation.preview(RETURNS, by="anna")
    accepting, at = frozenset({"worse"}), building.clock.now()
    await curation.decisions.accept(change.id, base=1, accepting=accepting, by="boris", at=at)
    await building.library.publish(RETURNS, by="boris")
    done = await curation.publish(change.id, by="boris")
    assert (done.state, done.decided_by) == ("published", "boris")


async def test_with_a_remote_model_only_what_is_found_is_compared(building):
    await draft(building)
    remote = replace(building, settings=replace(building.settings, model="openai:gpt"), turn=None)
    change = await Curation(remote).preview(RETURNS, by="anna")
    assert change.preview.depth == "retrieval"
    first = next(one for one in change.preview.differences if "исправный" in one.question.text)
    assert (first.before.outcome, first.before.citations[0].passage) == ("found", "returns#1")
    assert first.after.citations[0].passage == "returns@2#1"


async def test_a_draft_that_contradicts_another_document_is_shown_with_both_quotes(building):
    await building.library.save_draft(
        GIFTS,
        "# Курьер\n\n## Курьер по Москве\n\nКурьер по Москве стоит 500 рублей и приезжает на следующий день.\n",
        title="Курьер",
        language="ru",
        by="anna",
    )
    change = await Curation(building).preview(GIFTS, by="anna")
    assert change.base == 0
    assert [
        (one.other_document, "390" in one.other_quote, "500" in one.quote) for one in change.conflicts
    ] == [("delivery", True, True)]


async def test_a_gap_becomes_a_draft_of_staffs_words_and_is_closed_by_a_document(building, curation):
    await asked_in_vain(building)
    await asked_in_vain(building, "сколько стоит упаковка подарочная", reply="")
    gaps = await curation.gaps()
    gap = gaps[0]
    assert gap.near is not None
    saved = await curation.draft(gap, by="kirill")
    text = await building.library.catalogue.text(saved.document)
    assert f"> {REPLY}" in text
    (taken,) = [one for one in await curation.gaps() if one.id == gap.id]
    assert (taken.status, taken.draft) == ("drafted", saved.document)
    with pytest.raises(WrongState, match="not published"):
        await curation.close(taken, saved.document, by="kirill")
    await building.library.publish(saved.document, by="kirill")
    await curation.close(taken, saved.document, by="kirill")
    (closed,) = [one for one in await curation.gaps() if one.id == gap.id]
    assert (closed.status, closed.document, closed.effect.questions) == ("closed", saved.document, 0)


async def test_a_pack_whose_questions_cannot_be_read_is_refused_with_a_remedy(building, curation):
    (building.settings.company / "questions.yaml").write_text("- {q", "utf-8")
    with pytest.raises(BadSetting, match=r"questions\.yaml"):
        await curation.asked()


class Door:
    """Opens the building on one folder, as the installation does on its own."""

    def __init__(self, settings):
        self._settings = settings

    @asynccontextmanager
    async def building(self):
        async with opened(self._settings) as building:
            yield building


@pytest.fixture
def prepared(settings):
    async def prepare():
        async with opened(settings) as building:
            await building.library.save_draft(RETURNS, LIVE, title="Возврат", language="ru", by="anna")
            await building.library.publish(RETURNS, by="anna")
            await draft(building)
            await asked_in_vain(building)

    asyncio.run(prepare())
    return lambda *words: CliRunner().invoke(app, [*words], obj=Door(settings))


def test_the_commands_show_a_preview_refuse_what_gets_worse_and_list_gaps(prepared):
    shown = prepared("preview", "returns")
    assert shown.exit_code == 0, shown.output
    assert "worse · no longer finds what the pack expects" in shown.stdout
    refused = prepared("preview", "returns", "--publish", "--json")
    assert refused.exit_code == 1
    assert "get worse" in json.loads(refused.stdout)["refused"]
    done = prepared("preview", "returns", "--publish", "--accept-worse", "--json")
    assert json.loads(done.stdout)["state"] == "published"
    gaps = json.loads(prepared("gaps", "--json").stdout)
    assert [(gap["question"], gap["status"], gap["count"]) for gap in gaps] == [(WRAP, "open", 1)]
    name = gaps[0]["id"]
    assert json.loads(prepared("gaps", "--draft", name, "--json").stdout)["document"] == f"gap-{name}"
    assert "drafted" in prepared("gaps").stdout
    assert json.loads(prepared("gaps", "--close", name, "--document", "returns", "--json").stdout) == {
        "gap": name,
        "status": "closed",
        "document": "returns",
    }
    assert prepared("gaps", "--reopen", "nothing", "--json").exit_code == 1
    assert prepared("gaps", "--close", name).exit_code == 1
    assert prepared("preview", "unknown-document").exit_code == 1
