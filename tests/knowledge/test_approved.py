"""Approved answers live as documents do: what may be given follows the catalogue from the commit on."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from knowledge.approved import ApprovedAnswers, questions_of
from knowledge.errors import BadManifest
from knowledge.library import Library
from knowledge.types import DocumentId, Language
from tests.knowledge.shelf import NOW, opened, sqlite, write

CARDS = DocumentId("cards")
TEXT = (
    "# Подарочные карты\n\n## Сколько действует карта? Какой срок у карты?\n\nКарта действует 12 месяцев.\n\n"
    "## Если карта потерялась\n\nПеревыпустим карту.\n"
)
ASKED = ["Сколько действует карта?", "Какой срок у карты?"]


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[Library]:
    async with opened(sqlite(tmp_path)) as found:
        yield found


async def approve(
    library: Library, *, on: bool = True, until: date | None = None, audience: str = "customer"
) -> None:
    await library.describe(
        CARDS,
        audience=audience,
        department=None,
        valid_from=None,
        valid_until=until,
        approved=on,
        by="staff:k",
    )


async def publish(library: Library, text: str = TEXT, language: Language = "ru") -> None:
    await library.save_draft(CARDS, text, title="Подарочные карты", language=language, by="staff:k")
    await library.publish(CARDS, by="staff:k")


async def known(library: Library, language: Language = "ru") -> list[str]:
    """The questions whose answers may be given to a customer now."""
    found = await ApprovedAnswers(library.catalogue._engine).approved(language)
    live = await library.live([one.passage.id for one in found])
    return [one.question for one in found if one.passage.id in live]


async def test_only_sections_under_questions_of_approved_documents_are_answers(library: Library) -> None:
    await publish(library)
    assert await known(library) == []
    await approve(library)
    assert await known(library) == ASKED
    assert await known(library, "en") == []


async def test_taking_back_retiring_and_expiring_count_from_that_commit_on(library: Library) -> None:
    await publish(library)
    await approve(library)
    await approve(library, on=False)
    assert await known(library) == []
    await approve(library, until=NOW.date() - timedelta(days=1))
    assert await known(library) == []
    await approve(library)
    assert await known(library) == ASKED
    await library.retire(CARDS, by="staff:k")
    assert await known(library) == []


async def test_what_only_staff_may_read_is_no_answer_to_a_customer(library: Library) -> None:
    await publish(library)
    await approve(library, audience="staff")
    assert await known(library) == []


async def test_a_draft_answers_nothing_a_new_version_replaces_the_old_and_rollback_brings_it_back(
    library: Library,
) -> None:
    await library.save_draft(CARDS, TEXT, title="Карты", language="ru", by="staff:k")
    await approve(library)
    assert await known(library) == []
    await library.publish(CARDS, by="staff:k")
    await publish(library, "## Где купить карту?\n\nВ шоуруме.\n")
    assert await known(library) == ["Где купить карту?"]
    await library.rollback(CARDS, 1, by="staff:k")
    assert await known(library) == ASKED


async def test_a_reader_learns_of_a_change_of_another_process(library: Library) -> None:
    await publish(library)
    await approve(library)
    reader = ApprovedAnswers(library.catalogue._engine)
    before = await reader.approved("ru")
    assert await reader.approved("ru") is before, "nothing changed, nothing is read again"
    await library.retire(CARDS, by="staff:k")
    assert not await reader.approved("ru")


async def test_who_approved_stands_in_the_history(library: Library) -> None:
    await publish(library)
    await approve(library)
    (event, *_) = await library.catalogue.events(CARDS)
    assert (event.action, event.by, event.detail["approved"]) == ("described", "staff:k", "True")
    await library.describe(CARDS, audience="customer", department=None, valid_from=None, valid_until=None)
    assert (await library.catalogue.document(CARDS)).approved, "other details leave it as it is"


async def test_a_section_too_long_for_one_passage_is_no_answer(library: Library) -> None:
    long = " ".join(f"Пункт {n} подробно рассказывает о картах и о том, как ими платить." for n in range(60))
    await publish(library, f"## Как платить картой?\n\n{long}\n\n## Где купить карту?\n\nВ шоуруме.\n")
    await approve(library)
    assert await known(library) == ["Где купить карту?"]


async def test_a_document_that_is_one_answer_is_asked_by_its_title(library: Library) -> None:
    await library.save_draft(CARDS, "В шоуруме.", title="Где купить карту?", language="ru", by="staff:k")
    await library.publish(CARDS, by="staff:k")
    await approve(library)
    found = await ApprovedAnswers(library.catalogue._engine).approved("ru")
    assert [questions_of(one.passage) for one in found] == [("Где купить карту?",)]


async def test_a_folder_says_what_is_approved_and_a_table_of_questions_can_be(
    library: Library, tmp_path: Path
) -> None:
    folder = write(tmp_path / "pack", {"ru/faq.csv": "Вопрос,Ответ\nГде купить карту?,В шоуруме.\n"})
    (folder / "documents.toml").write_text('[[document]]\npath = "ru/faq.csv"\napproved = true\n', "utf-8")
    await library.import_path(folder)
    assert await known(library) == ["Где купить карту?"]


async def test_text_that_comes_from_outside_anew_is_approved_anew_or_not_at_all(
    library: Library, tmp_path: Path
) -> None:
    folder = write(tmp_path / "pack", {"ru/cards.md": TEXT})
    await library.import_path(folder)
    await approve(library)
    await library.import_path(folder)
    assert await known(library) == ASKED, "the same file changes nothing"
    write(folder, {"ru/cards.md": TEXT.replace("12 месяцев", "6 месяцев")})
    await library.import_path(folder)
    assert await known(library) == []


async def test_a_wrong_word_for_approved_is_refused(library: Library, tmp_path: Path) -> None:
    folder = write(tmp_path / "pack", {"ru/cards.md": TEXT})
    (folder / "documents.toml").write_text('[[document]]\npath = "ru/cards.md"\napproved = "yes"\n', "utf-8")
    with pytest.raises(BadManifest, match="approved"):
        await library.import_path(folder)
