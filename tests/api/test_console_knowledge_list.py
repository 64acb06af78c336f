"""The list of documents: what ails each, sorted and narrowed, as a table, and the same act on many."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from agent.domain import Action, Answered, Citation, Escalated, Reply, TurnRecord
from agent.records.usage import Usage, Used
from api.console.health import Known, health_of
from api.console.jobs import jobs
from knowledge.types import Document, DocumentId
from tests.api.console_house import Console, console, form_token, send, signed_in

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path) as opened:
        yield opened


@pytest.fixture
async def browser(house: Console) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(house, "kirill") as opened:
        yield opened


async def kept(house: Console, name: str, text: str, *, publish: bool = True, title: str = "") -> None:
    library = house.building.library
    await library.save_draft(
        DocumentId(name), text, title=title or name.title(), language="en", by="staff:kirill"
    )
    if publish:
        await library.publish(DocumentId(name), by="staff:kirill")


async def state(house: Console, name: str) -> tuple[str, int]:
    row = await house.building.library.catalogue.document(DocumentId(name))
    return row.status, row.version


def row(name: str, **other: object) -> Document:
    values = {
        "id": name,
        "title": name,
        "language": "ru",
        "source": "",
        "format": "md",
        "audience": "customer",
        "department": None,
        "status": "published",
        "valid_from": None,
        "valid_until": None,
        "version": 1,
        "content_hash": "",
        "updated": datetime(2026, 11, 20, tzinfo=UTC),
        "twin": None,
    }
    return Document(**{**values, **other})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("other", "known", "ails"),
    [
        ({}, {}, ()),
        ({"valid_until": date(2026, 11, 22)}, {}, ("stale",)),
        ({"valid_until": date(2026, 11, 23)}, {}, ()),
        ({"updated": datetime(2026, 5, 1, tzinfo=UTC)}, {}, ("stale", "unused")),
        ({"updated": datetime(2026, 11, 1, tzinfo=UTC)}, {}, ("unused",)),
        ({"updated": datetime(2026, 11, 1, tzinfo=UTC)}, {"used": {"a": Used(answers=1)}}, ()),
        ({}, {"used": {"a": Used(answers=10, wrong=2)}}, ("wrong",)),
        ({}, {"used": {"a": Used(answers=11, wrong=2)}}, ()),
        ({}, {"used": {"a": Used(answers=1, wrong=1)}}, ()),
        ({}, {"contradicting": {"a"}}, ("contradicting",)),
        ({}, {"languages": ("ru", "en")}, ("untranslated",)),
        ({"twin": "b"}, {"languages": ("ru", "en")}, ()),
        ({"twin_changed": NOW}, {}, ("twin",)),
        ({"status": "draft", "twin_changed": NOW}, {"flagged": {"a"}, "contradicting": {"a"}}, ("flagged",)),
        ({"status": "retired"}, {"flagged": {"a"}}, ()),
    ],
)
def test_what_ails_a_document(
    other: dict[str, object], known: dict[str, object], ails: tuple[str, ...]
) -> None:
    documents = [row("a", **other), row("b", twin="a")]
    facts = {"now": NOW, "languages": ("ru",), "used": {}, **known}
    assert health_of(documents, known=Known(**facts))[DocumentId("a")].ails == ails  # type: ignore[arg-type]


async def ask(
    house: Console, *documents: str, outcome: str = "answered", conversation: str = ""
) -> tuple[str, str]:
    """One turn whose answer cites documents; return its conversation and id."""
    records = house.building.records
    id = conversation or (await records.open_conversation(channel="widget", language="ru")).id
    await records.accept(id, key=str(house.clock.now()), text="Вопрос")
    turn = await records.next_batch(id)
    assert turn is not None
    cited = tuple(Citation(document=one, passage=f"{one}#1", title=one, quote="x") for one in documents)
    ended = Answered() if outcome == "answered" else Escalated(reason="customer_asked")
    await records.commit(
        TurnRecord(
            turn=turn,
            conversation=id,
            outcome=ended,
            language="ru",
            replies=(Reply(text="Ответ", citations=cited), Reply(text="Ещё", citations=cited)),
        )
    )
    house.clock.pass_by(seconds=1)
    return id, turn


async def test_an_answer_counts_as_wrong_when_it_is_disliked_or_a_person_is_called_next(
    house: Console,
) -> None:
    records = house.building.records
    await ask(house, "a", "b")
    called, _ = await ask(house, "a")
    await ask(house, outcome="escalated", conversation=called)
    disliked, turn = await ask(house, "b")
    await records.accept(disliked, key="k", text="", action=Action(kind="rate", target=turn, yes=False))
    found = await Usage(house.building.engine).since(datetime(2026, 1, 1, tzinfo=UTC))
    assert {name: (one.answers, one.wrong) for name, one in found.items()} == {"a": (2, 1), "b": (2, 1)}
    assert await Usage(house.building.engine).since(datetime(2027, 1, 1, tzinfo=UTC)) == {}


async def test_health_is_on_the_list_and_narrows_it(house: Console, browser: httpx.AsyncClient) -> None:
    await kept(house, "old", "The old rule.")
    await kept(house, "fresh", "The fresh rule.")
    library = house.building.library
    days = {"valid_from": None, "valid_until": date(2026, 1, 1)}
    await library.describe(DocumentId("old"), audience="customer", department="returns", **days)
    page = (await browser.get("/console/knowledge?health=stale")).text
    assert "Their dates are over" in page
    assert ("/console/knowledge/old" in page, "/console/knowledge/fresh" in page) == (True, False)
    page = (await browser.get("/console/knowledge?department=returns")).text
    assert ("/console/knowledge/old" in page, "/console/knowledge/fresh" in page) == (True, False)


async def test_the_table_for_other_programs_holds_what_the_list_shows_and_no_formula(
    house: Console, browser: httpx.AsyncClient
) -> None:
    await kept(house, "sum", "Words.", title="=1+1")
    await kept(house, "draft", "Words.", publish=False)
    answer = await browser.get("/console/knowledge.csv?status=published")
    assert answer.headers["Content-Type"].startswith("text/csv")
    (found,) = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert (found["id"], found["title"], found["status"], found["used"]) == ("sum", "'=1+1", "published", "0")


async def picked(browser: httpx.AsyncClient, act: str, *documents: str, sure: str = "") -> httpx.Response:
    form = {"form_token": await form_token(browser), "act": act, "document": list(documents), "sure": sure}
    return await browser.post("/console/bulk", data=form)


async def test_a_bulk_act_asks_once_in_words_and_can_be_undone(
    house: Console, browser: httpx.AsyncClient
) -> None:
    await kept(house, "a", "One.", publish=False)
    await kept(house, "b", "Two.")
    await kept(house, "b", "Three.", publish=False)
    await kept(house, "c", "Four.")
    asked = await picked(browser, "publish", "a", "b", "c")
    assert "Publish 2\u00a0documents?" in asked.text
    assert "Stay as they are: 1" in asked.text
    assert await state(house, "a") == ("draft", 0)
    done = await picked(browser, "publish", "a", "b", "c", sure="1")
    assert [await state(house, name) for name in "abc"] == [
        ("published", 1),
        ("published", 2),
        ("published", 1),
    ]
    page = (await browser.get(done.headers["Location"])).text
    assert "Published: 2." in page
    number = page.split('name="undo" value="')[1].split('"')[0]
    await send(browser, "/console/bulk/undo", undo=number)
    assert [await state(house, name) for name in "abc"] == [
        ("retired", 1),
        ("published", 1),
        ("published", 1),
    ]
    again = await send(browser, "/console/bulk/undo", undo=number)
    assert "nothing_to_undo" in again.headers["Location"]


async def test_retiring_and_describing_many_can_be_undone_where_nobody_changed_it_since(
    house: Console, browser: httpx.AsyncClient
) -> None:
    for name in ("a", "b"):
        await kept(house, name, f"Words of {name}.")
    done = await picked(browser, "retire", "a", "b", sure="1")
    await house.building.library.publish(DocumentId("b"), by="staff:marina")
    number = dict(httpx.URL(done.headers["Location"]).params)["undo"]
    answer = await send(browser, "/console/bulk/undo", undo=number)
    assert "done=1" in answer.headers["Location"]
    assert await state(house, "a") == ("published", 1)
    done = await picked(browser, "department:returns", "a", sure="1")
    assert (await house.building.library.catalogue.document(DocumentId("a"))).department == "returns"
    await send(browser, "/console/bulk/undo", undo=dict(httpx.URL(done.headers["Location"]).params)["undo"])
    assert (await house.building.library.catalogue.document(DocumentId("a"))).department is None


async def test_nobody_undoes_what_another_person_did(house: Console, browser: httpx.AsyncClient) -> None:
    await kept(house, "a", "One.")
    done = await picked(browser, "retire", "a", sure="1")
    number = dict(httpx.URL(done.headers["Location"]).params)["undo"]
    async with signed_in(house, "marina") as other:
        await send(other, "/console/bulk/undo", undo=number)
    assert await state(house, "a") == ("retired", 1)


@pytest.mark.parametrize(("act", "documents"), [("publish", []), ("burn", ["a"]), ("retire:x", ["a"])])
async def test_a_bulk_act_that_names_nothing_changes_nothing(
    house: Console, browser: httpx.AsyncClient, act: str, documents: list[str]
) -> None:
    await kept(house, "a", "One.")
    answer = await picked(browser, act, *documents, sure="1")
    assert "nothing_chosen" in answer.headers["Location"]
    assert await state(house, "a") == ("published", 1)


async def test_a_check_shows_both_quotes_and_marks_the_documents(
    house: Console, browser: httpx.AsyncClient
) -> None:
    await kept(house, "rules", "# Returns\n\nGoods can be returned within 14 days of delivery.")
    await kept(house, "faq", "# Returns\n\nGoods can be returned within 30 days of delivery.")
    assert "Not checked yet" in (await browser.get("/console/conflicts")).text
    await send(browser, "/console/conflicts")
    await jobs(SimpleNamespace(app=house.app)).settled()  # type: ignore[arg-type]
    page = (await browser.get("/console/conflicts")).text
    assert "within 14 days" in page
    assert "within 30 days" in page
    listed = (await browser.get("/console/knowledge?health=contradicting")).text
    assert ("/console/knowledge/rules" in listed, "/console/knowledge/faq" in listed) == (True, True)
