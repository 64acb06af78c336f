"""Folders taken into the library: what changed, what was edited here, what is wrong, what is gone."""

from pathlib import Path

import pytest

from knowledge.embed.fake import FakeEmbedder
from knowledge.errors import BadManifest, Unreadable
from knowledge.library import Library
from knowledge.types import DocumentId, Query
from tests.knowledge.files import archive
from tests.knowledge.shelf import opened, sqlite, write

RETURNS = DocumentId("returns")


def ids(found) -> list[str]:
    return [hit.passage.id for hit in found.hits]


async def test_importing_twice_embeds_nothing(tmp_path):
    async with opened(sqlite(tmp_path)) as library:
        await library.import_path(write(tmp_path / "kb"))
        again = await library.import_path(tmp_path / "kb")
        assert again.embedded == 0
        assert again.counts == {"imported": 0, "unchanged": 5, "skipped": 0}


async def test_a_changed_paragraph_embeds_only_itself(tmp_path):
    embedder = FakeEmbedder()
    async with opened(sqlite(tmp_path), embedder=embedder) as library:
        folder = write(tmp_path / "kb")
        await library.import_path(folder)
        file = folder / "ru/returns.md"
        file.write_text(file.read_text(encoding="utf-8").replace("14 дней", "20 дней"), encoding="utf-8")
        embedder.embedded.clear()
        report = await library.import_path(folder)
        assert report.counts["imported"] == 1
        assert [text for text in embedder.embedded if "20 дней" in text] == embedder.embedded
        assert len(embedder.embedded) == 1
        assert (
            "20 дней" in (await library.search(Query("сроки возврата", language="ru"))).hits[0].passage.text
        )


async def test_what_people_edited_or_retired_survives_the_next_import(tmp_path):
    async with opened(sqlite(tmp_path)) as library:
        await library.import_path(write(tmp_path / "kb"))
        await library.save_draft(
            RETURNS, "# Возврат\n\nТеперь 30 дней.", title="Возврат", language="ru", by="anna"
        )
        await library.publish(RETURNS, by="anna")
        await library.retire(DocumentId("lamps"), by="anna")
        await library.import_path(tmp_path / "kb")
        assert (await library.search(Query("сколько дней на возврат", language="ru"))).hits[
            0
        ].passage.text == "Теперь 30 дней."
        assert (await library.catalogue.document(DocumentId("lamps"))).status == "retired"


async def test_one_bad_file_is_a_row_and_the_rest_goes_on(tmp_path):
    folder = write(tmp_path / "kb")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
    (folder / "old.txt").write_bytes(b"\xff\xfe\x00")
    (folder / "en" / "empty.md").write_text("", encoding="utf-8")
    with (folder / "huge.pdf").open("wb") as out:
        out.truncate(200_000_000)
    async with opened(sqlite(tmp_path)) as library:
        report = await library.import_path(folder)
        assert report.counts == {"imported": 5, "unchanged": 0, "skipped": 4}
        skipped = {row.path: row for row in report.rows if row.result == "skipped"}
        assert set(skipped) == {"broken.pdf", "old.txt", "en/empty.md", "huge.pdf"}
        assert all(row.reason and row.remedy for row in skipped.values())


async def test_two_files_of_the_same_name_do_not_overwrite_each_other(tmp_path):
    folder = write(tmp_path / "kb", {"ru/a.md": "Первый текст.", "ru/sub/a.txt": "Второй текст."})
    async with opened(sqlite(tmp_path)) as library:
        report = await library.import_path(folder)
        assert [row.result for row in report.rows] == ["imported", "skipped"]
        assert "Rename" in report.rows[1].remedy


async def test_the_manifest_gives_title_audience_dates_and_status(tmp_path):
    folder = write(tmp_path / "kb")
    (folder / "documents.toml").write_text(
        '[[document]]\npath = "ru/returns.md"\ntitle = "Как вернуть"\ndepartment = "returns"\nvalid_until = 2026-11-21\n'
        '[[document]]\npath = "ru/lamps.md"\nstatus = "retired"\n'
        '[[document]]\npath = "ru/delivery.md"\naudience = "staff"\n',
        encoding="utf-8",
    )
    async with opened(sqlite(tmp_path)) as library:
        await library.import_path(folder)
        document = await library.catalogue.document(RETURNS)
        assert (document.title, document.department) == ("Как вернуть", "returns")
        shown = ids(await library.search(Query("вернуть товар курьер фонарь", k=50)))
        assert shown
        assert all(".en#" in name for name in shown)
        staff = ids(await library.search(Query("вернуть товар курьер фонарь", k=50, audience="staff")))
        assert any(name.startswith("delivery#") for name in staff)


@pytest.mark.parametrize(
    "text",
    ["[[document]\n", '[[document]]\ntitle = "x"\n', '[[document]]\npath = "a.md"\ncolour = 1\n',
     '[[document]]\npath = "a.md"\nstatus = "gone"\n', '[[document]]\npath = "a.md"\nvalid_from = "soon"\n', "document = 3\n"],
)  # fmt: skip
async def test_a_wrong_manifest_is_refused_with_a_remedy(tmp_path, text):
    folder = write(tmp_path / "kb")
    (folder / "documents.toml").write_text(text, encoding="utf-8")
    async with opened(sqlite(tmp_path)) as library:
        with pytest.raises(BadManifest) as caught:
            await library.import_path(folder)
        assert caught.value.remedy


async def test_importing_a_path_that_is_not_there_is_refused(tmp_path):
    async with opened(sqlite(tmp_path)) as library:
        with pytest.raises(Unreadable):
            await library.import_path(tmp_path / "nowhere")


def test_folders_named_by_language_decide_the_id(tmp_path: Path):
    from knowledge.ingest import source_of
    from knowledge.load import parse

    loaded = parse(b"Words.", name="a.md", form="md")
    assert source_of("en/a.md", loaded, {}).id == "a.en"
    assert source_of("ru/a.md", loaded, {}).language == "ru"
    assert source_of("a.md", loaded, {}).id == "a"


async def gone(library: Library, folder: Path, *, prune: bool) -> dict[str, tuple[bool, bool]]:
    report = await library.import_path(folder)
    documents = [row.document for row in report.rows if row.document is not None]
    paths = [row.path for row in report.rows]
    found = await library.gone(str(folder), documents=documents, paths=paths, prune=prune, why="no file")
    return {one.document: (one.edited, one.retired) for one in found}


async def test_a_file_that_left_the_folder_is_told_of_and_retired_only_when_asked(tmp_path):
    folder = write(tmp_path / "kb")
    async with opened(sqlite(tmp_path)) as library:
        assert await gone(library, folder, prune=True) == {}
        for name in ("mine", "lamps"):
            await library.save_draft(DocumentId(name), "Моё.", title="Моё", language="ru", by="anna")
            await library.publish(DocumentId(name), by="anna")
        for name in ("ru/returns.md", "ru/lamps.md"):
            (folder / name).unlink()
        assert await gone(library, folder, prune=False) == {"returns": (False, False), "lamps": (True, False)}
        assert set(await library.live(["returns#1"])) == {"returns#1"}
        assert await gone(library, folder, prune=True) == {"returns": (False, True), "lamps": (True, False)}
        assert await library.live(["returns#1"]) == {}
        found = await library.search(Query("за сколько дней вернуть товар", language="ru", k=20))
        assert not any(name.startswith("returns#") for name in ids(found))
        shown = {one.id for one in await library.catalogue.documents(status="published")}
        assert shown == {"mine", "lamps", "delivery", "returns.en", "gift-cards.en"}
        assert (await library.catalogue.events(RETURNS))[0].why == "no file"
        write(folder)
        assert await gone(library, folder, prune=True) == {}
        assert (await library.catalogue.document(RETURNS)).status == "published"
        assert (await library.check()).ok


async def test_what_an_archive_held_is_not_gone_while_the_archive_cannot_be_read(tmp_path):
    folder = write(tmp_path / "kb")
    (folder / "pack.zip").write_bytes(archive({"inside.md": "# Внутри\n\nСлова.".encode()}))
    async with opened(sqlite(tmp_path)) as library:
        assert await gone(library, folder, prune=True) == {}
        (folder / "pack.zip").write_bytes(b"PK\x03\x04 cut off")
        assert await gone(library, folder, prune=True) == {}
        assert set(await library.live(["inside#1"])) == {"inside#1"}
        (folder / "pack.zip").unlink()
        assert await gone(library, folder, prune=True) == {"inside": (False, True)}
