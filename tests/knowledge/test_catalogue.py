"""The life of a document, on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from knowledge.catalogue import Catalogue
from knowledge.errors import Empty, NothingToPublish, UnknownDocument
from knowledge.imports.arrivals import Arrivals
from knowledge.keeping.tables import create_tables, metadata
from knowledge.types import DocumentId, PassageId, Source
from tests.knowledge.shelf import NOW, sqlite

DOC = DocumentId("returns")
FIRST, SECOND = PassageId("returns#1"), PassageId("returns#2")
NEXT = PassageId("returns@2#1")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    if request.param == "sqlite":
        made = sqlite(tmp_path)
    else:
        made = create_async_engine(request.getfixturevalue("postgres_database"))
    await create_tables(made)
    yield made
    async with made.begin() as connection:
        await connection.run_sync(metadata.drop_all)
    await made.dispose()


@pytest.fixture
def catalogue(engine: AsyncEngine) -> Catalogue:
    return Catalogue(engine)


@pytest.fixture
def arrivals(engine: AsyncEngine) -> Arrivals:
    return Arrivals(engine)


async def write(catalogue: Catalogue, text: str, *, title: str = "Возврат") -> None:
    await catalogue.save_draft(DOC, text, title=title, language="ru", by="anna")


async def live(
    catalogue: Catalogue, *ids: PassageId, now: datetime = NOW, audience: str = "customer"
) -> dict:
    return await catalogue.live(ids or (FIRST, SECOND, NEXT), now=now, audience=audience)


def source(**change) -> Source:
    given = {
        "id": DOC,
        "title": "Возврат",
        "text": "Четырнадцать дней.",
        "language": "ru",
        "source": "ru/returns.md",
    }
    return Source(**{**given, "format": "md", **change})


async def test_a_draft_is_seen_by_nobody_until_it_is_published(catalogue):
    await write(catalogue, "Вернуть можно за 14 дней.")
    assert await live(catalogue) == {}
    document = await catalogue.publish(DOC, by="anna")
    assert (document.status, document.version) == ("published", 1)
    assert (await live(catalogue))[FIRST].text == "Вернуть можно за 14 дней."


async def test_an_edit_changes_nothing_live_before_it_is_published(catalogue):
    await write(catalogue, "Старое.")
    await catalogue.publish(DOC, by="anna")
    await write(catalogue, "Новое.", title="Возврат 2")
    assert (await live(catalogue))[FIRST].text == "Старое."
    assert (await catalogue.document(DOC)).title == "Возврат"
    await catalogue.publish(DOC, by="anna")
    assert {name: one.text for name, one in (await live(catalogue)).items()} == {NEXT: "Новое."}
    assert (await catalogue.document(DOC)).title == "Возврат 2"


async def test_a_shorter_version_leaves_no_passage_of_the_longer_one(catalogue):
    await write(catalogue, "## А\n\nРаз.\n\n## Б\n\nДва.")
    await catalogue.publish(DOC, by="anna")
    assert set(await live(catalogue)) == {FIRST, SECOND}
    await write(catalogue, "Одно.")
    await catalogue.publish(DOC, by="anna")
    assert set(await live(catalogue)) == {NEXT}


async def test_a_retired_document_is_gone_at_once_and_can_come_back(catalogue):
    await write(catalogue, "Текст.")
    await catalogue.publish(DOC, by="anna")
    assert (await catalogue.retire(DOC, by="anna")).status == "retired"
    assert await live(catalogue) == {}
    assert await catalogue.published() == []
    assert await catalogue.text(DOC) == "Текст."
    assert (await catalogue.publish(DOC, by="anna")).status == "published"
    assert set(await live(catalogue)) == {FIRST}


async def test_going_back_to_an_earlier_version_keeps_the_later_one_in_the_history(catalogue):
    await write(catalogue, "Первая.")
    await catalogue.publish(DOC, by="anna")
    await write(catalogue, "Вторая.")
    await catalogue.publish(DOC, by="anna")
    assert (await catalogue.rollback(DOC, 1, by="anna")).version == 1
    assert (await live(catalogue))[FIRST].text == "Первая."
    assert [(one.version, one.published, one.by) for one in await catalogue.history(DOC)] == [
        (2, True, "anna"),
        (1, True, "anna"),
    ]
    assert await catalogue.text(DOC, version=2) == "Вторая."


@pytest.mark.parametrize(
    ("day", "seen"),
    [("2026-12-14", False), ("2026-12-15", True), ("2027-01-10", True), ("2027-01-11", False)],
)
async def test_a_document_counts_from_its_first_day_to_its_last(catalogue, arrivals, day, seen):
    dated = source(valid_from=date(2026, 12, 15), valid_until=date(2027, 1, 10))
    await arrivals.accept(dated, source_hash="a", by="import")
    now = datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
    assert (FIRST in await live(catalogue, now=now)) is seen


async def test_what_is_for_staff_is_never_shown_to_a_customer(catalogue, arrivals):
    await arrivals.accept(source(audience="staff"), source_hash="a", by="import")
    assert await live(catalogue) == {}
    assert set(await live(catalogue, audience="staff")) == {FIRST}


async def test_the_same_source_twice_changes_nothing_even_after_people_retired_it(catalogue, arrivals):
    assert await arrivals.accept(source(), source_hash="a", by="import") is True
    await catalogue.retire(DOC, by="anna")
    assert await arrivals.accept(source(), source_hash="a", by="import") is False
    assert await live(catalogue) == {}


async def test_a_source_marked_retired_is_kept_and_not_shown(catalogue, arrivals):
    assert await arrivals.accept(source(status="retired"), source_hash="a", by="import") is True
    assert (await catalogue.document(DOC)).status == "retired"
    assert await live(catalogue) == {}


async def test_every_change_of_what_is_live_is_told_to_other_processes(catalogue):
    await write(catalogue, "Текст.")
    await catalogue.publish(DOC, by="anna")
    first = await catalogue.changes(since=0)
    assert first.documents == (DOC,)
    assert (await catalogue.changes(since=first.revision)).documents == ()
    await catalogue.retire(DOC, by="anna")
    assert (await catalogue.changes(since=first.revision)).documents == (DOC,)


async def test_more_ids_than_one_statement_holds_can_be_asked_at_once(catalogue):
    await write(catalogue, "Текст.")
    await catalogue.publish(DOC, by="anna")
    many = [PassageId(f"other#{n}") for n in range(3_000)]
    assert set(await live(catalogue, *many, FIRST)) == {FIRST}


async def test_unknown_documents_and_versions_and_texts_without_words_are_refused(catalogue):
    for call in (catalogue.publish, catalogue.retire):
        with pytest.raises(UnknownDocument):
            await call(DOC, by="anna")
    with pytest.raises(Empty):
        await write(catalogue, " \n --- ")
    await write(catalogue, "Текст.")
    with pytest.raises(UnknownDocument, match="version 7"):
        await catalogue.rollback(DOC, 7, by="anna")
    assert (await catalogue.document(DOC)).status == "draft"


async def test_twins_know_each_other(catalogue, arrivals):
    await arrivals.accept(source(), source_hash="a", by="import")
    english = source(id=DocumentId("returns.en"), language="en", text="Fourteen days.")
    await arrivals.accept(english, source_hash="a", by="import")
    await arrivals.set_twins([(DOC, DocumentId("returns.en"))])
    assert (await catalogue.document(DOC)).twin == "returns.en"
    assert (await catalogue.document(DocumentId("returns.en"))).twin == DOC


def test_faults_say_what_to_do():
    assert "Save" in str(NothingToPublish("No text.", remedy="Save a draft first."))
