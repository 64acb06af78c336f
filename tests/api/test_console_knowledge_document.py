"""One document in the console: passages while it is written, review, dates, comparison, questions put to a draft."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import httpx
import pytest

from api.console.history import stretches
from knowledge.keeping.diff import compare
from knowledge.types import DocumentId, Query
from tests.api.console_house import Console, console, send, signed_in

GIFTS = DocumentId("gifts")
PAGE = "/console/knowledge/gifts"
TEXT = "# Gifts\n\nWe wrap any order as a gift for 150 roubles until December 31, 2026."


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path) as opened:
        await drafted(opened)
        yield opened


@pytest.fixture
async def browser(house: Console) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(house, "kirill") as opened:
        yield opened


async def drafted(house: Console, text: str = TEXT, *, name: str = "gifts", title: str = "Gifts") -> None:
    await house.building.library.save_draft(
        DocumentId(name), text, title=title, language="en", by="staff:kirill"
    )


async def newest(house: Console) -> str:
    return (await house.building.library.catalogue.history(GIFTS))[0].state


async def test_passages_of_an_unsaved_text_are_shown_and_nothing_is_saved(
    house: Console, browser: httpx.AsyncClient
) -> None:
    words = {"title": "Gifts", "text": "# Gifts\n\nOne.\n\n## Paper\n\nSilver paper.", "language": "en"}
    part = (await send(browser, "/console/passages", **words)).text
    assert "2\u00a0passages" in part
    assert "<html" not in part
    page = (await send(browser, f"{PAGE}/passages", **words)).text
    assert "Silver paper" in page.split('id="passages"')[1]
    assert len(await house.building.library.catalogue.history(GIFTS)) == 1


async def test_a_draft_goes_to_review_comes_back_with_a_reason_and_is_approved(
    house: Console, browser: httpx.AsyncClient
) -> None:
    await send(browser, f"{PAGE}/submit")
    assert await newest(house) == "review"
    async with signed_in(house, "marina") as reviewer:
        page = (await reviewer.get(PAGE)).text
        assert "Approve and publish" in page
        refused = await send(reviewer, f"{PAGE}/reject", why=" ")
        assert (refused.status_code, await newest(house)) == (422, "review")
        await send(reviewer, f"{PAGE}/reject", why="The price is 200 now")
    page = (await browser.get(PAGE)).text
    assert "Марина sent it back:" in page
    assert "The price is 200 now" in page
    await drafted(house, TEXT.replace("150", "200"))
    assert "sent it back" not in (await browser.get(PAGE)).text
    await send(browser, f"{PAGE}/submit")
    await send(browser, f"{PAGE}/publish")
    assert await newest(house) == "published"
    history = (await browser.get(f"{PAGE}/history")).text
    for words in (
        "Submitted for review",
        "Sent back",
        "The price is 200 now",
        "Марина",
        "Кирилл",
        "Published",
    ):
        assert words in history


async def test_a_step_that_does_not_begin_here_is_told_in_words(
    house: Console, browser: httpx.AsyncClient
) -> None:
    answer = await send(browser, f"{PAGE}/reject", why="no")
    assert answer.status_code == 422
    assert "moved on meanwhile" in answer.text


async def test_days_named_in_the_text_are_quoted_and_taken_over_with_one_press(
    house: Console, browser: httpx.AsyncClient
) -> None:
    page = (await browser.get(PAGE)).text
    assert "until December 31, 2026" in page.split("Dates in the text")[1]
    press = page.split("Dates in the text")[1].split("</form>")[0]
    assert 'name="valid_until" value="2026-12-31"' in press
    await send(browser, f"{PAGE}/details", audience="customer", valid_until="2026-12-31")
    assert (await house.building.library.catalogue.document(GIFTS)).valid_until == date(2026, 12, 31)
    assert "in use" in (await browser.get(PAGE)).text


async def test_a_version_can_be_published_for_a_later_day_and_withdrawn(
    house: Console, browser: httpx.AsyncClient
) -> None:
    answer = await send(browser, f"{PAGE}/publish", **{"from": "2031-12-01"})
    assert answer.headers["Location"].endswith("said=scheduled")
    assert (await house.building.library.search(Query("gift wrapping", language="en"))).hits == ()
    page = (await browser.get(PAGE)).text
    assert "takes effect on 1 Dec 2031" in page
    await send(browser, f"{PAGE}/withdraw", version="1")
    assert await newest(house) == "draft"
    wrong = await send(browser, f"{PAGE}/publish", **{"from": "tomorrow"})
    assert (wrong.status_code, await newest(house)) == (422, "draft")


async def test_a_comment_stays_with_who_said_it(house: Console, browser: httpx.AsyncClient) -> None:
    assert (await send(browser, f"{PAGE}/comment", why="")).status_code == 422
    await send(browser, f"{PAGE}/comment", why="Ask Olga about the <b>paper</b>")
    page = (await browser.get(PAGE)).text
    assert "Ask Olga about the &lt;b&gt;paper&lt;/b&gt;" in page


async def test_any_two_versions_are_shown_side_by_side(house: Console, browser: httpx.AsyncClient) -> None:
    for price in ("200", "250"):
        await drafted(house, TEXT.replace("150", price))
    page = (await browser.get(f"{PAGE}/history?old=1&new=2")).text
    assert "<mark>150</mark>" in page
    assert "<mark>200</mark>" in page
    assert "<mark>250</mark>" in (await browser.get(f"{PAGE}/history?old=2&new=3")).text
    assert (await browser.get(f"{PAGE}/history?old=1&new=9")).status_code == 404


def test_a_comparison_leaves_out_what_did_not_change_and_counts_it() -> None:
    lines = [f"line {n}" for n in range(30)]
    other = ["first", *lines[1:20], "changed entirely here", *lines[21:]]
    found = stretches(compare("\n".join(lines), "\n".join(other), old=1, new=2).rows)
    assert [one.hidden for one in found if one.hidden] == [15, 7]
    assert sum(len(one.rows) + one.hidden for one in found) >= 30
    assert stretches(()) == []


async def test_a_twin_that_changed_is_told_until_somebody_says_it_still_holds(
    house: Console, browser: httpx.AsyncClient
) -> None:
    library = house.building.library
    await drafted(house, "Wrapping costs 150.", name="gifts.en")
    for name in ("gifts", "gifts.en"):
        await library.publish(DocumentId(name), by="staff:kirill")
    await library.pair([(GIFTS, DocumentId("gifts.en"))])
    await drafted(house, "Wrapping costs 200.", name="gifts.en")
    await library.publish(DocumentId("gifts.en"), by="staff:kirill")
    assert "was changed on" in (await browser.get(PAGE)).text
    await send(browser, f"{PAGE}/right")
    assert "was changed on" not in (await browser.get(PAGE)).text


async def test_a_draft_that_contradicts_a_published_document_is_shown_with_both_quotes(
    house: Console, browser: httpx.AsyncClient
) -> None:
    rules = "# Returns\n\nGoods can be returned within 14 days of delivery."
    await drafted(house, rules, name="rules", title="Rules")
    await house.building.library.publish(DocumentId("rules"), by="staff:kirill")
    assert "doesn&#39;t contradict" in (await browser.get(f"{PAGE}/conflicts")).text
    await drafted(house, rules.replace("14", "30"))
    page = (await browser.get(f"{PAGE}/conflicts")).text
    assert ("within 14 days" in page, "within 30 days" in page) == (True, True)


async def test_a_question_put_to_a_draft_shows_what_would_be_found_and_changes_nothing(
    house: Console, browser: httpx.AsyncClient
) -> None:
    question = "How much does it cost to wrap an order as a gift?"
    page = (await send(browser, f"{PAGE}/ask", question=question)).text
    asked = page.split('id="ask"')[1].split('id="passages"')[0]
    assert "Now" in asked
    assert "Once published" in asked
    assert "this document" in asked
    assert "150 roubles" in asked
    assert (await house.building.library.search(Query(question, language="en"))).hits == ()
    assert (await send(browser, f"{PAGE}/ask", question="…")).status_code == 422
