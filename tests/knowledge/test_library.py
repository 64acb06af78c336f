"""The room as a whole: import, follow, crash, catch up."""

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from knowledge.embed.fake import FakeEmbedder
from knowledge.errors import Empty
from knowledge.index.memory import MemoryIndex, MemoryIndexes
from knowledge.ingest import Progress
from knowledge.library import Library
from knowledge.types import DocumentId, Query, Source
from tests.knowledge.shelf import NOW, opened, sqlite, write

RETURNS = DocumentId("returns")


def ids(found) -> list[str]:
    return [hit.passage.id for hit in found.hits]


async def test_an_imported_folder_can_be_searched_and_twins_are_paired(tmp_path):
    seen: list[Progress] = []
    async with opened(sqlite(tmp_path)) as library:
        report = await library.import_path(write(tmp_path / "kb"), progress=seen.append)
        assert report.counts == {"imported": 5, "unchanged": 0, "skipped": 0}
        found = await library.search(Query("за сколько дней можно вернуть товар", language="ru"))
        assert found.hits[0].passage.id == "returns#1"
        assert found.hits[0].passage.heading == "Сроки возврата"
        assert 0 < found.confidence < 1
        assert found.ms > 0
        document = await library.catalogue.document(RETURNS)
        assert (document.twin, document.language, document.format) == ("returns.en", "ru", "md")
        assert (await library.catalogue.document(DocumentId("returns.en"))).language == "en"
        assert (await library.check()).ok
    assert seen[-1].done == seen[-1].total == 5
    assert seen[-1].passages == report.embedded > 0


@pytest.mark.postgres
async def test_the_room_works_the_same_on_postgresql(postgres_database, tmp_path):
    async with opened(create_async_engine(postgres_database)) as library:
        await library.import_path(write(tmp_path / "kb"))
        assert (await library.import_path(tmp_path / "kb")).embedded == 0
        assert (await library.search(Query("за сколько дней можно вернуть товар"))).hits[
            0
        ].passage.id == "returns#1"
        await library.retire(RETURNS, by="anna")
        assert not any(
            name.startswith("returns#") for name in ids(await library.search(Query("вернуть товар", k=20)))
        )
        assert (await library.check()).ok


class Stubborn(MemoryIndex):
    """An index that forgets nothing, as one left behind by a crash would be."""

    def delete(self, names) -> None:
        return None


class StubbornIndexes:
    def __init__(self) -> None:
        self.made: dict[str, Stubborn] = {}

    def __call__(self, name: str, *, dim: int) -> Stubborn:
        return self.made.setdefault(name, Stubborn(dim=dim))

    def close(self) -> None:
        return None


async def test_a_retired_passage_cannot_be_returned_even_if_the_index_proposes_it(tmp_path):
    indexes = StubbornIndexes()
    async with opened(sqlite(tmp_path), index=indexes) as library:
        await library.import_path(write(tmp_path / "kb"))
        question = "за сколько дней можно вернуть товар"
        assert "returns#1" in ids(await library.search(Query(question, k=20)))
        # Retired behind the library's back: neither its words nor its vectors know yet.
        await library.catalogue.retire(RETURNS, by="anna")
        library._revision = (await library.catalogue.changes(since=-1)).revision
        vector = FakeEmbedder().queries([question])[0]
        proposed = {name for index in indexes.made.values() for name, _ in index.query(vector, 100)}
        assert "returns#1" in proposed
        assert not any(
            name.startswith("returns#") for name in ids(await library.search(Query(question, k=20)))
        )


class Crash(Exception):
    pass


async def test_a_crash_between_the_commit_and_the_index_is_made_good_at_the_next_start(tmp_path):
    indexes = MemoryIndexes()
    engine = sqlite(tmp_path)
    async with opened(engine, index=indexes) as library:
        await library.import_path(write(tmp_path / "kb"))

    async def dies(changed):
        raise Crash

    async with opened(sqlite(tmp_path), index=indexes) as library:
        await library.save_draft(
            RETURNS, "# Возврат\n\nПриём вещей теперь бессрочный.", title="Возврат", language="ru", by="a"
        )
        library._shelves.follow = dies
        with pytest.raises(Crash):
            await library.publish(RETURNS, by="a")
        assert not (await library.check()).ok

    async with opened(sqlite(tmp_path), index=indexes) as library:
        assert (await library.check()).ok
        found = await library.search(Query("бессрочный приём вещей", language="ru"))
        assert found.hits[0].passage.text == "Приём вещей теперь бессрочный."
        assert "returns#2" not in ids(found)


async def test_an_import_that_was_stopped_goes_on_where_it_was(tmp_path):
    class Dying(FakeEmbedder):
        def passages(self, texts):
            if len(self.embedded) >= 6:
                raise Crash
            return super().passages(texts)

    folder = write(tmp_path / "kb")
    async with opened(sqlite(tmp_path), embedder=Dying()) as library:
        with pytest.raises(Crash):
            await library.import_path(folder)
        done = {document.id for document in await library.catalogue.documents()}
    second = FakeEmbedder()
    async with opened(sqlite(tmp_path), embedder=second) as library:
        report = await library.import_path(folder)
        assert report.counts["unchanged"] == len(done) > 0
        assert report.counts["imported"] == 5 - len(done)
        assert (await library.check()).ok


async def test_what_another_process_publishes_and_retires_is_seen_without_a_restart(tmp_path):
    async with opened(sqlite(tmp_path)) as reader, opened(sqlite(tmp_path)) as writer:
        assert (await reader.search(Query("вернуть товар"))).hits == ()
        await writer.import_path(write(tmp_path / "kb"))
        assert "returns#1" in ids(await reader.search(Query("вернуть товар", language="ru")))
        await writer.retire(RETURNS, by="anna")
        assert "returns#1" not in ids(await reader.search(Query("вернуть товар", language="ru")))
        assert (await reader.check()).ok


async def test_reindex_builds_everything_anew_without_embedding_again(tmp_path):
    embedder = FakeEmbedder()
    async with opened(sqlite(tmp_path), embedder=embedder) as library:
        await library.import_path(write(tmp_path / "kb"))
        embedder.embedded.clear()
        count = await library.reindex()
        assert count == (await library.check()).passages > 0
        assert embedder.embedded == []
        assert (await library.check()).ok


async def test_another_embedder_gets_its_own_vectors(tmp_path):
    indexes = MemoryIndexes()
    async with opened(sqlite(tmp_path), index=indexes) as library:
        await library.import_path(write(tmp_path / "kb"))
    other = FakeEmbedder(dim=64, name="other")
    async with opened(sqlite(tmp_path), embedder=other, index=indexes) as library:
        assert other.embedded
        assert (await library.search(Query("вернуть товар", language="ru"))).hits[
            0
        ].passage.document == RETURNS


async def test_many_changes_do_not_wear_the_search_out(tmp_path):
    async with opened(sqlite(tmp_path)) as library:
        await library.import_path(write(tmp_path / "kb"))
        for n in range(60):
            text = f"# Возврат\n\n## Один\n\nВерсия {n}.\n\n## Два\n\nЕщё {n}.\n\n## Три\n\nИ это {n}."
            await library.save_draft(RETURNS, text, title="Возврат", language="ru", by="anna")
            await library.publish(RETURNS, by="anna")
        found = await library.search(Query("версия 59", language="ru"))
        assert found.hits[0].passage.text == "Версия 59."
        assert len(ids(found)) == len(set(ids(found)))
        assert (await library.check()).ok


async def test_live_asks_the_day_of_the_librarys_own_clock(tmp_path):
    folder = write(tmp_path / "kb")
    (folder / "documents.toml").write_text(
        '[[document]]\npath = "ru/returns.md"\nvalid_from = 2026-11-23\n', encoding="utf-8"
    )
    day = [NOW]
    async with opened(sqlite(tmp_path), clock=lambda: day[0]) as library:
        await library.import_path(folder)
        assert await library.live(["returns#1"]) == {}
        day[0] = NOW.replace(day=23)
        assert set(await library.live(["returns#1"])) == {"returns#1"}


async def test_a_library_without_embedders_still_finds_by_words(tmp_path):
    engine = sqlite(tmp_path)
    async with opened(engine) as first:
        await first.import_path(write(tmp_path / "kb"))
    library = Library(sqlite(tmp_path), embedders=[], index=MemoryIndexes(), clock=lambda: NOW)
    await library.open()
    assert (await library.search(Query("курьер по городу", language="ru"))).hits[0].passage.id == "delivery#1"
    await library._shelves._engine.dispose()


async def test_a_scheduled_version_takes_over_in_the_middle_of_a_turn(tmp_path):
    now = [NOW]
    async with opened(sqlite(tmp_path), clock=lambda: now[0]) as library:
        await library.import_path(write(tmp_path / "kb"))
        text = "# Возврат\n\n## Сроки возврата\n\nВернуть товар можно в течение 30 дней после получения."
        await library.save_draft(RETURNS, text, title="Возврат", language="ru", by="anna")
        takeover = NOW.replace(day=23)
        await library.publish(RETURNS, by="anna", effective_from=takeover)
        question = "за сколько дней можно вернуть товар"
        cited = [hit.passage for hit in (await library.search(Query(question, language="ru"))).hits]
        assert not any("30 дней" in passage.text for passage in cited)
        assert set(await library.live(["returns#1", "returns@2#1"])) == {"returns#1"}
        # The turn found its passages; before it speaks, the moment comes.
        now[0] = takeover
        assert not any(name.startswith("returns#") for name in await library.live([one.id for one in cited]))
        found = (await library.search(Query(question, language="ru", k=20))).hits
        assert found[0].passage.id == "returns@2#1"
        assert not any(hit.passage.id.startswith("returns#") for hit in found)
        assert (await library.check()).ok
    async with opened(sqlite(tmp_path), clock=lambda: now[0]) as library:
        assert [one.state for one in await library.catalogue.history(RETURNS)] == ["published", "superseded"]
        assert not any(name.id.startswith("returns#") for name in await library.catalogue.published())
        assert (await library.check()).ok


async def test_a_replaced_text_cannot_be_cited_by_a_turn_that_found_it_before(tmp_path):
    async with opened(sqlite(tmp_path)) as library:
        await library.import_path(write(tmp_path / "kb"))
        cited = (
            (await library.search(Query("за сколько дней можно вернуть товар", language="ru")))
            .hits[0]
            .passage
        )
        await library.save_draft(
            RETURNS, "# Возврат\n\nТеперь 30 дней.", title="Возврат", language="ru", by="a"
        )
        await library.publish(RETURNS, by="a")
        assert await library.live([cited.id]) == {}


async def test_repair_puts_right_what_somebody_did_to_the_index(tmp_path):
    indexes = MemoryIndexes()
    async with opened(sqlite(tmp_path), index=indexes) as library:
        await library.import_path(write(tmp_path / "kb"))
        index = indexes("fake-body", dim=256)
        index.delete(["returns#1"])
        index.upsert(["lost#1"], FakeEmbedder().passages(["x"]), [{"hash": "x", "document": "lost"}])
        assert not (await library.check()).ok
        assert (await library.repair()).ok
        assert (await library.search(Query("за сколько дней вернуть товар", language="ru"))).hits[
            0
        ].passage.id == "returns#1"


async def test_many_sources_are_taken_in_together_each_with_its_own_fate(tmp_path):
    def source(name: str, text: str) -> Source:
        return Source(
            id=DocumentId(name), title=name, text=text, language="ru", source=f"{name}.md", format="md"
        )

    given = [
        (source("a", "Гирлянда."), "1"),
        (source("b", " -- "), "1"),
        (source("c", "## X\n\nФонарь."), "1"),
    ]
    async with opened(sqlite(tmp_path)) as library:
        first, empty, third = await library.accept_many(given, progress=lambda _: None)
        assert (first, third) == (1, 1)
        assert isinstance(empty, Empty)
        assert set(await library.live(["a#1", "c#1"])) == {"a#1", "c#1"}
        assert (await library.search(Query("фонарь", language="ru"))).hits[0].passage.id == "c#1"
        assert await library.accept_many([given[0], given[2]], progress=lambda _: None) == [None, None]
        assert (await library.check()).ok
