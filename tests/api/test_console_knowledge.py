"""Knowledge in the console: drafts, files, passages, publishing, going back; every refusal in words."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import httpx
import pytest

from api.console.shelf import name_for
from knowledge.types import DocumentId, Query
from tests.api.console_house import Console, console, form_token, send, signed_in
from tests.api.test_console_dialogues import harmless
from tests.api.xss_payloads import PAYLOADS

GIFTS = "# Gift wrapping\n\nWe wrap any order as a gift for 150 roubles.\n\n## Paper\n\nThe paper is silver and blue."


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path) as opened:
        yield opened


@pytest.fixture
async def browser(house: Console) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(house, "kirill") as opened:
        yield opened


async def written(browser: httpx.AsyncClient, text: str = GIFTS, **fields: str) -> str:
    """Write a document; return the address it got."""
    form = {"title": "Gift wrapping", "text": text, "language": "en", "audience": "customer", **fields}
    answer = await send(browser, "/console/draft", **form)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].partition("?")[0]


async def found(house: Console, words: str, *, audience: str = "customer") -> list[str]:
    """The texts search finds for these words, as customers do."""
    retrieval = await house.building.library.search(Query(words, language="en", k=3, audience=audience))
    return [hit.passage.text for hit in retrieval.hits]


async def test_a_draft_shows_its_passages_and_is_found_only_when_it_is_published(
    house: Console, browser: httpx.AsyncClient
) -> None:
    address = await written(browser)
    assert address == "/console/knowledge/gift-wrapping.en"
    page = (await browser.get(address)).text
    assert "2\u00a0passages" in page
    assert "Paper" in page.split('id="passages"')[1]
    assert await found(house, "gift wrapping") == []
    answer = await send(browser, f"{address}/publish")
    assert answer.headers["Location"] == f"{address}?said=published"
    assert "We wrap any order as a gift for 150 roubles." in (await found(house, "gift wrapping"))[0]


@pytest.mark.parametrize("title", ["New", "Import", "Imports", "Draft"])
async def test_a_document_of_any_name_has_a_page_of_its_own(
    house: Console, browser: httpx.AsyncClient, title: str
) -> None:
    address = await written(browser, title=title, language="ru", text="Обернём заказ в серебристую бумагу.")
    assert address == f"/console/knowledge/{title.lower()}"
    page = await browser.get(address)
    assert page.status_code == 200
    assert "Обернём заказ в серебристую бумагу." in page.text


async def test_after_an_edit_is_published_the_old_words_are_no_longer_found(
    house: Console, browser: httpx.AsyncClient
) -> None:
    address = await written(browser)
    await send(browser, f"{address}/publish")
    newer = GIFTS.replace("150 roubles", "200 roubles")
    await send(browser, address, title="Gift wrapping", text=newer, language="en", base="1")
    assert "150" in " ".join(await found(house, "gift wrapping price")), "a draft changes no answer"
    listed = (await browser.get("/console/knowledge")).text
    assert "has edits" in listed
    await send(browser, f"{address}/publish")
    words = " ".join(await found(house, "gift wrapping price"))
    assert ("200" in words, "150" in words) == (True, False)
    await send(browser, f"{address}/rollback", version="1")
    words = " ".join(await found(house, "gift wrapping price"))
    assert ("200" in words, "150" in words) == (False, True)


async def test_a_retired_document_is_not_found_and_publishing_brings_it_back(
    house: Console, browser: httpx.AsyncClient
) -> None:
    address = await written(browser)
    await send(browser, f"{address}/publish")
    await send(browser, f"{address}/retire")
    assert await found(house, "gift wrapping") == []
    assert "the assistant doesn&#39;t know it" in (await browser.get(address)).text
    await send(browser, f"{address}/publish")
    assert await found(house, "gift wrapping") != []


async def test_audience_and_dates_decide_at_once_who_finds_it(
    house: Console, browser: httpx.AsyncClient
) -> None:
    address = await written(browser)
    await send(browser, f"{address}/publish")
    await send(browser, f"{address}/details", audience="staff", department="returns")
    assert await found(house, "gift wrapping") == []
    assert await found(house, "gift wrapping", audience="staff") != []
    await send(browser, f"{address}/details", audience="customer", valid_until="2020-01-01")
    assert await found(house, "gift wrapping") == []
    assert "expired" in (await browser.get("/console/knowledge")).text
    await send(browser, f"{address}/details", audience="customer")
    assert await found(house, "gift wrapping") != []
    row = await house.building.library.catalogue.document(DocumentId("gift-wrapping.en"))
    assert (row.audience, row.department, row.valid_until) == ("customer", None, None)


async def test_everything_typed_into_a_new_document_is_kept(
    house: Console, browser: httpx.AsyncClient
) -> None:
    await written(
        browser, audience="staff", department="returns", valid_from="2026-12-01", valid_until="2026-12-31"
    )
    row = await house.building.library.catalogue.document(DocumentId("gift-wrapping.en"))
    assert (row.title, row.language, row.status, row.audience) == ("Gift wrapping", "en", "draft", "staff")
    assert (row.department, row.valid_from, row.valid_until) == (
        "returns",
        date(2026, 12, 1),
        date(2026, 12, 31),
    )


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"title": " "}, "Give the document a title"),
        ({"text": " \n# \n"}, "no words"),
        ({"text": "я" * 1_000_001}, "longer than 1,000,000"),
        ({"language": "de"}, "Choose the document"),
        ({"valid_from": "tomorrow"}, "Write it as 2026-12-31"),
        ({"valid_from": "2026-12-31", "valid_until": "2026-12-01"}, "begins after it ends"),
    ],
)
async def test_a_wrong_field_is_told_and_nothing_typed_is_lost(
    house: Console, browser: httpx.AsyncClient, wrong: dict[str, str], words: str
) -> None:
    form = {"title": "Gift wrapping", "text": GIFTS, "language": "en", **wrong}
    answer = await send(browser, "/console/draft", **form)
    assert answer.status_code == 422
    assert words in answer.text
    if "text" not in wrong:
        assert "silver and blue" in answer.text
    assert await house.building.library.catalogue.documents() == []


async def test_a_save_over_somebody_elses_edit_keeps_both_and_says_so(
    house: Console, browser: httpx.AsyncClient
) -> None:
    address = await written(browser)
    form = {"title": "Gift wrapping", "language": "en", "base": "1"}
    await send(browser, address, text="Mine.", **form)
    answer = await send(browser, address, text="Yours.", **form)
    assert answer.headers["Location"].endswith("said=overtaken")
    history = await house.building.library.catalogue.history(DocumentId("gift-wrapping.en"))
    assert [one.version for one in history] == [3, 2, 1]
    same = await send(browser, address, text="Yours.\r\n", title="Gift wrapping", language="en", base="3")
    assert same.headers["Location"].endswith("said=unchanged")


async def test_an_earlier_version_can_be_looked_at(house: Console, browser: httpx.AsyncClient) -> None:
    address = await written(browser)
    await send(browser, address, text="Only this.", title="Gift wrapping", language="en", base="1")
    assert "silver and blue" in (await browser.get(f"{address}?version=1")).text
    assert "silver and blue" not in (await browser.get(address)).text
    assert (await browser.get(f"{address}?version=9")).status_code == 404


def test_a_name_is_latin_and_free() -> None:
    assert name_for("Возврат щёток (2026)", language="ru", taken=[]) == "vozvrat-shchetok-2026"
    assert name_for("New", language="ru", taken=[]) == "new"
    assert name_for("Gifts", language="en", taken=["gifts.en"]) == "gifts-2.en"
    assert name_for("…", language="ru", taken=["document"]) == "document-2"


async def test_the_list_is_narrowed_by_status_language_and_words(
    house: Console, browser: httpx.AsyncClient
) -> None:
    address = await written(browser)
    await send(browser, f"{address}/publish")
    await written(browser, title="Упаковка", text="Упакуем подарок.", language="ru")

    async def titles(query: str) -> list[str]:
        page = (await browser.get(f"/console/knowledge{query}")).text
        return [part.split("<")[0] for part in page.split('" lang="')[1:] for part in [part.split(">", 1)[1]]]

    def both(names: list[str]) -> list[str]:
        return [name for name in names if name in ("Gift wrapping", "Упаковка")]

    assert both(await titles("")) == ["Gift wrapping", "Упаковка"]
    assert both(await titles("?status=published")) == ["Gift wrapping"]
    assert both(await titles("?lang=ru")) == ["Упаковка"]
    assert both(await titles("?q=УПАК")) == ["Упаковка"]
    assert both(await titles("?sort=updated")) == ["Упаковка", "Gift wrapping"]
    assert "Nothing was found" in (await browser.get("/console/knowledge?q=zzz")).text


async def test_an_unknown_document_is_a_page_in_words(browser: httpx.AsyncClient) -> None:
    for answer in (
        await browser.get("/console/knowledge/none"),
        await send(browser, "/console/knowledge/none/publish"),
        await send(browser, "/console/knowledge/none", title="x", text="x", language="en"),
    ):
        assert answer.status_code == 404
        assert "There is no such document" in answer.text


async def test_an_empty_library_says_how_to_begin(browser: httpx.AsyncClient) -> None:
    assert "Upload a file or write the first one" in (await browser.get("/console/knowledge")).text


async def test_what_curators_do_is_in_the_audit(house: Console, browser: httpx.AsyncClient) -> None:
    address = await written(browser)
    for act in ("publish", "retire"):
        await send(browser, f"{address}/{act}")
    for act in ("draft", "published", "retired"):
        assert [(row.actor, row.target) for row in await house.audited(act)] == [
            ("kirill", "gift-wrapping.en")
        ]


async def test_documents_never_become_markup(house: Console, browser: httpx.AsyncClient) -> None:
    token = await form_token(browser)
    text = "\n\n".join(f"word {payload}" for payload in PAYLOADS)
    for n, payload in enumerate(PAYLOADS):
        await house.building.library.save_draft(
            DocumentId(f"d{n}"), f"word {payload}", title=payload, language="en", by=payload
        )
    harmless((await browser.get("/console/knowledge")).text)
    for n in range(0, len(PAYLOADS), 10):
        harmless((await browser.get(f"/console/knowledge/d{n}")).text)
    form = {"form_token": token, "title": PAYLOADS[0], "text": text, "language": "en", "base": "1"}
    await browser.post("/console/knowledge/d0", data=form)
    harmless((await browser.get("/console/knowledge/d0")).text)
    wrong = await browser.post("/console/draft", data={**form, "valid_from": PAYLOADS[3]})
    harmless(wrong.text)
    harmless((await browser.get("/console/knowledge", params={"q": PAYLOADS[3]})).text)
