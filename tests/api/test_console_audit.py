"""Every staff read of a customer's words is in the audit: every page of the console, by a table."""

from pathlib import Path
from types import SimpleNamespace

from agent.records.desk import Desk
from agent.records.flags import Flags
from api.console.jobs import jobs
from api.learning import Learning
from tests.api.console_house import Console, console, escalated, form_token, send, signed_in
from tests.api.test_console_roles import TABLE
from tests.api.test_curation import WRAP, asked_in_vain
from tools.context import ConversationId

SAID = "Где мой аквамариновый торшер?"
READS: dict[str, str] = {
    "/console/dialogues": "list",
    "/console/dialogues/list": "list",
    "/console/dialogues/{id}": "read",
    "/console/dialogues/{id}/part": "read",
    "/console/dialogues/{id}/receipts/{turn}": "read",
    "/console/gaps": "questions",
    "/console/lessons": "questions",
    "/console/dialogues/{id}/flag/{turn}": "read",
    "/console/flags": "flags",
    "/console/dialogues/{id}/lesson": "read",
    "/console/gaps/{gap}/answer": "questions",
    "/console/knowledge/{document}/consequences": "consequences",
    # What follows shows nothing of customers: documents, figures, one's own account, forms and files.
    "/console": "",
    "/console/live": "",
    "/console/dialogues/{id}/around": "",
    "/console/{rest:path}": "",
    "/console/login": "",
    "/console/login/code": "",
    "/console/sign-on": "",
    "/console/sign-on/callback": "",
    "/console/account": "",
    "/console/look": "",
    "/console/static/{version}/{name}": "",
    "/console/knowledge": "",
    "/console/knowledge.csv": "",
    "/console/accuracy": "",
    "/console/conflicts": "",
    "/console/draft": "",
    "/console/imports": "",
    "/console/imports/{number}": "",
    "/console/knowledge/{document}": "",
    "/console/knowledge/{document}/history": "",
    "/console/knowledge/{document}/conflicts": "",
}
"""Which line a page leaves; a page that leaves none must show no word of a customer."""


def test_the_table_names_every_page() -> None:
    assert set(READS) == {path for method, path in TABLE if method == "GET"}


async def lines(house: Console) -> list[tuple[str, bool]]:
    """What this member of staff's lines tell: the act, and whether a customer is bound to it."""
    found = await house.building.records.trail.listed(limit=500)
    return [
        (
            line.fields.act,
            line.fields.about.startswith(("customer:", "conversation:")) or "shown" in line.fields.detail,
        )
        for line in found
        if line.fields is not None and line.fields.actor == "marina"
    ]


async def test_a_page_that_shows_a_customers_words_leaves_a_line_and_others_show_none(tmp_path: Path) -> None:
    async with console(tmp_path) as house, signed_in(house, "marina") as browser:
        talk = await escalated(house.building, says=SAID, customer="c-001")
        await asked_in_vain(house.building)
        ended = await asked_in_vain(house.building)
        await house.building.records.close(ended, operator="olga")
        assert await Learning(house.building).gather() == 1
        called = await Desk(house.building.engine).last_ticket(ConversationId(talk))
        assert called is not None
        await Flags(house.building.engine).add(
            talk, called.turn, "wrong", note=SAID, by="olga", at=house.clock.now()
        )
        library = house.building.library
        await library.save_draft("returns", "# Returns\n\n14 days.", title="Returns", language="en", by="t")
        await form_token(browser)
        await send(browser, "/console/gaps")
        await send(browser, "/console/knowledge/returns/consequences")
        known = jobs(SimpleNamespace(app=house.app))  # type: ignore[arg-type]
        await known.settled()
        [gap] = [one for one in known.of("gaps").result if one.question == WRAP]  # type: ignore[union-attr]
        names = {
            "id": talk,
            "turn": called.turn,
            "document": "returns",
            "gap": gap.id,
            "number": "none",
            "rest": "no",
        }
        # A server that stops ends its streams after their first word.
        house.building.notices.stop()
        wrong = []
        for path, act in READS.items():
            address = path.replace(":path", "").format(**names, version="x", name="console.css")
            before = await lines(house)
            page = (await browser.get(address)).text
            added = (await lines(house))[: -len(before) or None]
            shows = SAID in page or WRAP in page
            written = [one for one in added if one[0] == act]
            bound = act == "consequences" or any(is_bound for _, is_bound in written)
            if (bool(act) != bool(written)) or (act and not bound) or (shows and not act):
                wrong.append((path, act, added, shows))
        assert wrong == []
        # The pages that must be read for it do show what they are audited for.
        assert SAID in (await browser.get(f"/console/dialogues/{talk}")).text
        assert WRAP in (await browser.get("/console/gaps")).text
        assert WRAP in (await browser.get("/console/lessons")).text
        assert (await house.building.records.trail.verified()).holds
