"""The life of documents holds the same on SQLite and on PostgreSQL: states, dates, history, twins, what is gone."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from knowledge.catalogue import Catalogue
from knowledge.errors import Empty, UnknownDocument, WrongDates, WrongState
from knowledge.imports.arrivals import Arrivals
from knowledge.keeping.tables import create_tables, metadata
from knowledge.types import DocumentId, PassageId, Source
from tests.knowledge.shelf import NOW, sqlite

DOC, TWIN = DocumentId("returns"), DocumentId("returns.en")
TAKEOVER = datetime(2026, 12, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@dataclass(slots=True)
class Desk:
    """A catalogue whose clock the test turns."""

    engine: AsyncEngine
    now: datetime = NOW
    catalogue: Catalogue = field(init=False)
    arrivals: Arrivals = field(init=False)

    def __post_init__(self) -> None:
        self.catalogue = Catalogue(self.engine, clock=lambda: self.now)
        self.arrivals = Arrivals(self.engine, clock=lambda: self.now)

    async def write(self, text: str, *, document: DocumentId = DOC) -> None:
        language = "en" if document == TWIN else "ru"
        await self.catalogue.save_draft(document, text, title="Возврат", language=language, by="anna")

    async def put(self, text: str, *, document: DocumentId = DOC, **dates: datetime) -> None:
        await self.write(text, document=document)
        await self.catalogue.publish(document, by="anna", **dates)

    async def shown(self, *, at: datetime | None = None) -> set[str]:
        """The texts that may be shown, whatever passage is asked for."""
        ids = [PassageId(f"returns#{n}") for n in range(1, 9)]
        ids += [PassageId(f"returns@{version}#{n}") for version in range(1, 9) for n in range(1, 9)]
        found = await self.catalogue.live(ids, now=at or self.now)
        return {passage.text for passage in found.values()}

    async def states(self, document: DocumentId = DOC) -> list[str]:
        return [one.state for one in reversed(await self.catalogue.history(document))]

    async def acts(self, document: DocumentId = DOC) -> list[str]:
        return [event.action for event in reversed(await self.catalogue.events(document))]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    if request.param == "sqlite":
        engine = sqlite(tmp_path)
    else:
        engine = create_async_engine(request.getfixturevalue("postgres_database"))
    await create_tables(engine)
    yield Desk(engine)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.drop_all)
    await engine.dispose()


class TestReview:
    async def test_a_text_goes_to_review_and_is_approved_by_publishing(self, desk):
        await desk.write("Первый.")
        assert (await desk.catalogue.submit(DOC, by="anna", why="готово")).status == "review"
        assert await desk.states() == ["review"]
        assert await desk.shown() == set()
        assert (await desk.catalogue.publish(DOC, by="boris")).status == "published"
        assert await desk.shown() == {"Первый."}

    async def test_a_rejected_text_is_a_draft_again_and_the_reason_stays(self, desk):
        await desk.write("Первый.")
        await desk.catalogue.submit(DOC, by="anna")
        assert (await desk.catalogue.reject(DOC, by="boris", why="Нет срока.")).status == "draft"
        last = (await desk.catalogue.events(DOC))[0]
        assert (last.action, last.by, last.why, last.version) == ("rejected", "boris", "Нет срока.", 1)

    async def test_steps_that_begin_elsewhere_are_refused_and_change_nothing(self, desk):
        await desk.write("Первый.")
        with pytest.raises(WrongState):
            await desk.catalogue.reject(DOC, by="boris", why="нет")
        await desk.catalogue.submit(DOC, by="anna")
        with pytest.raises(WrongState):
            await desk.catalogue.submit(DOC, by="anna")
        with pytest.raises(Empty):
            await desk.catalogue.reject(DOC, by="boris", why=" ")
        assert await desk.acts() == ["saved", "submitted"]

    async def test_a_published_document_stays_published_while_its_next_text_is_reviewed(self, desk):
        await desk.put("Первый.")
        await desk.write("Второй.")
        assert (await desk.catalogue.submit(DOC, by="anna")).status == "published"
        assert await desk.states() == ["published", "review"]
        assert await desk.catalogue.edited() == {DOC}


class TestStates:
    async def test_every_version_says_where_it_stands(self, desk):
        for text in ("Первый.", "Второй."):
            await desk.put(text)
        await desk.write("Третий.")
        await desk.put("Четвёртый.")
        assert await desk.states() == ["superseded", "superseded", "superseded", "published"]
        await desk.catalogue.rollback(DOC, 1, by="anna", why="ошибка")
        assert await desk.states() == ["published", "superseded", "superseded", "superseded"]
        await desk.catalogue.retire(DOC, by="anna")
        assert await desk.states() == ["retired", "superseded", "superseded", "superseded"]
        assert (await desk.catalogue.publish(DOC, by="anna")).version == 4
        assert await desk.shown() == {"Четвёртый."}

    async def test_a_passage_id_never_names_another_text(self, desk):
        await desk.put("Первый.")
        await desk.put("Второй.")
        assert await desk.catalogue.live([PassageId("returns#1")], now=desk.now) == {}
        assert set(await desk.catalogue.live([PassageId("returns@2#1")], now=desk.now)) == {"returns@2#1"}
        await desk.catalogue.rollback(DOC, 1, by="anna")
        assert (await desk.catalogue.live([PassageId("returns#1")], now=desk.now))[
            "returns#1"
        ].text == "Первый."


class TestDates:
    async def test_the_live_version_stays_until_the_next_one_takes_over_by_itself(self, desk):
        await desk.put("Старое.")
        await desk.write("Новое.")
        document = await desk.catalogue.publish(DOC, by="anna", effective_from=TAKEOVER, why="новый тариф")
        assert (document.version, document.next_from) == (1, TAKEOVER)
        assert await desk.shown() == {"Старое."}
        assert await desk.shown(at=TAKEOVER - SECOND) == {"Старое."}
        assert await desk.shown(at=TAKEOVER) == {"Новое."}
        assert await desk.states() == ["published", "published"]
        desk.now = TAKEOVER
        assert (await desk.catalogue.document(DOC)).version == 2
        assert (await desk.catalogue.document(DOC)).next_from is None
        assert await desk.states() == ["superseded", "published"]
        assert await desk.catalogue.text(DOC) == "Новое."
        assert [one.text for one in await desk.catalogue.passages(DOC)] == ["Новое."]

    async def test_passages_of_both_versions_are_indexed_and_the_old_ones_leave_when_it_is_settled(
        self, desk
    ):
        await desk.put("Старое.")
        await desk.put("Новое.", effective_from=TAKEOVER)
        assert {one.text for one in await desk.catalogue.published()} == {"Старое.", "Новое."}
        desk.now = TAKEOVER + SECOND
        assert await desk.catalogue.settle() == 1
        assert {one.text for one in await desk.catalogue.published()} == {"Новое."}
        last = (await desk.catalogue.events(DOC))[0]
        assert (last.action, last.by, last.at, last.version) == ("took_over", "schedule", TAKEOVER, 2)
        assert await desk.catalogue.settle() == 0

    async def test_a_version_with_an_end_is_shown_until_just_before_it(self, desk):
        await desk.put("Акция.", effective_until=TAKEOVER)
        assert await desk.shown(at=TAKEOVER - SECOND) == {"Акция."}
        assert await desk.shown(at=TAKEOVER) == set()

    async def test_a_correction_published_now_leaves_what_is_to_come(self, desk):
        await desk.put("Старое.")
        await desk.put("Тариф с декабря.", effective_from=TAKEOVER)
        await desk.put("Старое, исправлено.")
        assert await desk.shown() == {"Старое, исправлено."}
        assert await desk.shown(at=TAKEOVER) == {"Тариф с декабря."}

    async def test_two_versions_for_the_same_moment_leave_the_later_one(self, desk):
        await desk.put("Старое.")
        await desk.put("Первый тариф.", effective_from=TAKEOVER)
        await desk.put("Второй тариф.", effective_from=TAKEOVER)
        assert await desk.states() == ["published", "superseded", "published"]
        assert await desk.shown(at=TAKEOVER) == {"Второй тариф."}

    async def test_what_is_to_come_can_be_withdrawn_and_what_has_begun_cannot(self, desk):
        await desk.put("Старое.")
        await desk.put("Новое.", effective_from=TAKEOVER)
        await desk.catalogue.withdraw(DOC, 2, by="anna", why="рано")
        assert await desk.states() == ["published", "draft"]
        assert await desk.shown(at=TAKEOVER) == {"Старое."}
        with pytest.raises(WrongState):
            await desk.catalogue.withdraw(DOC, 1, by="anna")

    async def test_a_first_version_that_is_withdrawn_leaves_a_draft(self, desk):
        await desk.put("Скоро.", effective_from=TAKEOVER)
        assert (await desk.catalogue.withdraw(DOC, 1, by="anna")).status == "draft"
        assert await desk.catalogue.published() == []
        assert await desk.shown(at=TAKEOVER) == set()

    async def test_retiring_takes_what_is_to_come_along(self, desk):
        await desk.put("Старое.")
        await desk.put("Новое.", effective_from=TAKEOVER)
        await desk.catalogue.retire(DOC, by="anna")
        assert await desk.shown(at=TAKEOVER) == set()
        assert await desk.states() == ["retired", "retired"]

    async def test_a_document_published_ahead_is_shown_to_nobody_before(self, desk):
        await desk.put("Скоро.", effective_from=TAKEOVER)
        assert await desk.shown() == set()
        assert (await desk.catalogue.document(DOC)).status == "published"
        assert await desk.shown(at=TAKEOVER) == {"Скоро."}

    async def test_dates_that_make_no_sense_are_refused(self, desk):
        await desk.put("Старое.")
        await desk.write("Новое.")
        for dates in (
            {"effective_from": TAKEOVER, "effective_until": TAKEOVER},
            {"effective_until": NOW - SECOND},
            {"effective_from": TAKEOVER.replace(tzinfo=None)},
        ):
            with pytest.raises(WrongDates):
                await desk.catalogue.publish(DOC, by="anna", **dates)
        with pytest.raises(WrongState):
            await desk.catalogue.publish(DOC, by="anna", version=1, effective_from=TAKEOVER)
        assert await desk.shown() == {"Старое."}


class TestHistory:
    async def test_who_did_what_and_why_is_told_in_order(self, desk):
        await desk.write("Первый.")
        await desk.catalogue.submit(DOC, by="anna")
        await desk.catalogue.publish(DOC, by="boris", why="проверено")
        await desk.put("Второй.", effective_from=TAKEOVER)
        await desk.catalogue.comment(DOC, "Сверить с юристом.", by="vera", version=2)
        await desk.catalogue.assign(DOC, owner="vera", by="boris")
        await desk.catalogue.describe(
            DOC, audience="staff", department=None, valid_from=None, valid_until=None, by="boris"
        )
        await desk.catalogue.rollback(DOC, 1, by="boris", why="рано")
        await desk.catalogue.retire(DOC, by="anna", why="устарело")
        assert await desk.acts() == [
            "saved", "submitted", "published", "saved", "scheduled", "commented", "assigned", "described",
            "rolled_back", "retired", "retired",
        ]  # fmt: skip
        by_action = {event.action: event for event in await desk.catalogue.events(DOC)}
        assert (by_action["published"].by, by_action["published"].why) == ("boris", "проверено")
        assert by_action["scheduled"].detail == {"from": TAKEOVER.isoformat()}
        assert (by_action["commented"].why, by_action["commented"].version) == ("Сверить с юристом.", 2)
        assert by_action["described"].detail == {"audience": "staff"}
        assert (await desk.catalogue.document(DOC)).owner == "vera"

    @pytest.mark.parametrize("statement", ["UPDATE kb_events SET why = 'x'", "DELETE FROM kb_events"])
    async def test_the_database_itself_refuses_to_change_the_history(self, desk, statement):
        await desk.write("Первый.")
        with pytest.raises(DBAPIError, match="append-only"):
            async with desk.engine.begin() as connection:
                await connection.execute(sa.text(statement))
        assert await desk.acts() == ["saved"]

    async def test_comments_on_what_is_not_there_are_refused(self, desk):
        with pytest.raises(UnknownDocument):
            await desk.catalogue.comment(DOC, "Что это?", by="vera")
        await desk.write("Первый.")
        with pytest.raises(UnknownDocument):
            await desk.catalogue.comment(DOC, "Что это?", by="vera", version=7)

    async def test_versions_are_compared_by_lines_and_words(self, desk):
        await desk.put("Первая строка.\nВернуть можно за 14 дней.\nОбщая.")
        await desk.write("Первая строка.\nВернуть можно за 30 дней.\nОбщая.\nНовая.")
        diff = await desk.catalogue.diff(DOC)
        assert (diff.old, diff.new, diff.added, diff.removed) == (1, 2, 2, 1)
        assert "-Вернуть можно за 14 дней." in diff.unified
        changed = next(row for row in diff.rows if row.kind == "changed")
        assert [piece.text for piece in changed.left if piece.changed] == ["14"]
        assert [piece.text for piece in changed.right if piece.changed] == ["30"]


class TestTwins:
    async def pair(self, desk: Desk) -> None:
        await desk.put("Срок 14 дней.")
        await desk.put("Within 14 days.", document=TWIN)
        await desk.arrivals.set_twins([(DOC, TWIN)])

    async def flag(self, desk: Desk, document: DocumentId) -> datetime | None:
        return (await desk.catalogue.document(document)).twin_changed

    async def test_another_text_flags_the_twin_until_it_is_published_too(self, desk):
        await self.pair(desk)
        await desk.put("Срок 30 дней.")
        assert (await self.flag(desk, TWIN), await self.flag(desk, DOC)) == (NOW, None)
        assert (await desk.catalogue.events(TWIN))[0].action == "twin_changed"
        await desk.put("Within 30 days.", document=TWIN)
        assert (await self.flag(desk, TWIN), await self.flag(desk, DOC)) == (None, None)

    async def test_somebody_can_say_that_the_twin_is_still_right(self, desk):
        await self.pair(desk)
        await desk.put("Срок — 14 дней.")
        document = await desk.catalogue.still_right(TWIN, by="vera", why="only a dash")
        assert document.twin_changed is None
        assert (await desk.catalogue.events(TWIN))[0].why == "only a dash"

    async def test_the_same_text_again_flags_nobody(self, desk):
        await self.pair(desk)
        await desk.catalogue.publish(DOC, by="anna")
        assert await self.flag(desk, TWIN) is None


class TestGone:
    def source(self, name: str, text: str = "Текст.") -> Source:
        return Source(
            id=DocumentId(name), title=name, text=text, language="ru", source=f"ru/{name}.md", format="md"
        )

    async def test_only_what_this_source_brought_and_nobody_edited_is_pruned(self, desk):
        for name in ("kept", "lost", "edited", "elsewhere"):
            await desk.arrivals.accept(self.source(name), source_hash=name)
        await desk.arrivals.brought("/kb", [DocumentId(name) for name in ("kept", "lost", "edited")])
        await desk.arrivals.brought("/other", [DocumentId("elsewhere")])
        await desk.put("Написано в консоли.")
        await desk.put("Поправлено людьми.", document=DocumentId("edited"))
        found = await desk.arrivals.gone("/kb", documents=[DocumentId("kept")], paths=["ru/kept.md"])
        assert [(one.document, one.edited) for one in found] == [("edited", True), ("lost", False)]
        await desk.arrivals.prune(DocumentId("lost"), why="gone")
        assert (await desk.catalogue.document(DocumentId("lost"))).status == "retired"
        assert [one.document for one in await desk.arrivals.gone("/kb", documents=["kept"], paths=[])] == [
            "edited"
        ]

    async def test_a_file_that_cannot_be_read_today_is_not_gone(self, desk):
        await desk.arrivals.accept(self.source("broken"), source_hash="a")
        await desk.arrivals.brought("/kb", [DocumentId("broken")])
        assert await desk.arrivals.gone("/kb", documents=[], paths=["ru/broken.md"]) == []

    async def test_a_pruned_file_that_comes_back_is_taken_in_again(self, desk):
        await desk.arrivals.accept(self.source("lost"), source_hash="a")
        await desk.arrivals.prune(DocumentId("lost"), why="gone")
        assert await desk.arrivals.accept(self.source("lost"), source_hash="a") is True
        assert (await desk.catalogue.document(DocumentId("lost"))).status == "published"
