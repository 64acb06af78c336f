"""Staff flag a wrong answer; a curator turns it into a case file or says that it was right."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import yaml
from typer.testing import CliRunner

from agent.flagged import UnknownFlag
from agent.records.errors import UnknownTurn
from agent.records.flags import Flags
from api.house import DoorHouse
from evals.case import check_cases
from evals.commands import app
from evals.run import gate, run_suite
from tests.api.console_house import Console, answered, console, escalated, send, signed_in
from tests.api.test_console_dialogues import harmless
from tests.api.xss_payloads import PAYLOADS
from tests.evals.fake_house import FakeHouse, answer
from tools.context import ConversationId, TurnId


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path) as opened:
        yield opened


async def turn_of(house: Console, talk: ConversationId) -> TurnId:
    outcomes = await house.building.records.outcomes(talk)
    return next(iter(outcomes))


async def flagged(house: Console, browser: httpx.AsyncClient, **fields: str) -> str:
    """Flag the answer of a new conversation; return the flag's id."""
    talk = await answered(house.building)
    page = f"/console/dialogues/{talk}/flag/{await turn_of(house, talk)}"
    done = await send(browser, page, **{"reason": "wrong", **fields})
    assert "said=flagged" in done.headers["Location"]
    return (await Flags(house.building.engine).listed())[0].id


async def accuracy(browser: httpx.AsyncClient) -> str:
    """The page with its unbreakable spaces as plain ones."""
    return (await browser.get("/console/accuracy")).text.replace("\xa0", " ")


async def test_an_operator_flags_an_answer_with_its_wrong_sentence_and_may_correct_it(house: Console) -> None:
    talk = await answered(house.building)
    turn = await turn_of(house, talk)
    async with signed_in(house, "olga") as olga:
        assert f"/flag/{turn}" in (await olga.get(f"/console/dialogues/{talk}")).text
        page = f"/console/dialogues/{talk}/flag/{turn}"
        assert "От 290 ₽." in (await olga.get(page)).text
        assert (await send(olga, page)).headers["Location"].endswith("trouble=reason")
        await send(olga, page, reason="wrong", wrong="0", note="Цена другая", expected="от 350")
        await send(olga, page, reason="outdated", wrong="0", note="Цена выросла", expected="от 350")
        (flag,) = await Flags(house.building.engine).listed()
        assert (flag.reason, flag.wrong, flag.note, flag.by) == (
            "outdated",
            ("От 290 ₽.",),
            "Цена выросла",
            "olga",
        )
        assert 'value="outdated" checked' in (await olga.get(page)).text
        foreign = await olga.get(f"/console/dialogues/{await escalated(house.building)}/flag/{turn}")
        assert foreign.status_code == 404
        assert len(await house.audited("flag")) == 2


async def test_a_curator_downloads_a_case_that_the_evals_read_and_run(house: Console, tmp_path: Path) -> None:
    async with signed_in(house, "olga") as olga, signed_in(house, "kirill") as kirill:
        flag = await flagged(house, olga, wrong="0", expected="от 350")
        page = (await kirill.get("/console/flags")).text
        assert "От 290 ₽." in page
        assert f"mayak eval new --from-flag {flag[:8]}" in page
        file = await send(kirill, f"/console/flags/{flag}/case")
        assert file.headers["Content-Disposition"] == f'attachment; filename="flag-{flag[:8]}.yaml"'
        folder = tmp_path / "cases"
        folder.mkdir()
        (folder / "flagged.yaml").write_text(file.text, "utf-8")
        cases, faults = check_cases(folder)
        assert faults == ()
        for said, holds in (("От 290 ₽.", False), ("Доставка от 350 ₽.", True)):
            world = FakeHouse({"Сколько стоит доставка?": answer(said)})
            result = await run_suite(world, cases, suite="not_yet", limits=gate("not_yet"), repeats=1)  # type: ignore[arg-type]
            assert (len(result.passed) == 1) is holds
        assert "Has a check" in (await kirill.get("/console/flags?state=made")).text
        assert flag in (await kirill.get("/console/flags?state=made")).text
        assert flag not in (await kirill.get("/console/flags?state=open")).text
        (line,) = await house.audited("flag_case")
        assert line.actor == "kirill"


async def test_a_flag_is_dismissed_taken_back_and_found_by_its_reason(house: Console) -> None:
    async with signed_in(house, "olga") as olga, signed_in(house, "kirill") as kirill:
        flag = await flagged(house, olga, reason="rude")
        assert flag in (await kirill.get("/console/flags?reason=rude")).text
        assert flag not in (await kirill.get("/console/flags?reason=wrong")).text
        await send(kirill, f"/console/flags/{flag}/dismiss")
        assert flag in (await kirill.get("/console/flags?state=dismissed")).text
        await send(kirill, f"/console/flags/{flag}/reopen")
        assert flag in (await kirill.get("/console/flags")).text
        assert (await send(kirill, "/console/flags/none/dismiss")).status_code == 404
        assert [line.actor for line in await house.audited("flag_dismissed")] == ["kirill"]


async def test_the_accuracy_page_counts_flagged_answers_once_and_dismissed_ones_not(house: Console) -> None:
    async with signed_in(house, "olga") as olga, signed_in(house, "kirill") as kirill:
        assert "There were no answers" in await accuracy(kirill)
        await answered(house.building)
        flag = await flagged(house, olga)
        found = await Flags(house.building.engine).flag(flag)
        now = house.clock.now()
        await Flags(house.building.engine).add(found.conversation, found.turn, "rude", by="pavel", at=now)
        assert "flagged 1 answer of 2: 50.0%" in await accuracy(kirill)
        figures = await Flags(house.building.engine).figures(since=now - timedelta(days=1))
        assert (figures.flagged, dict(figures.reasons)) == (1, {"wrong": 1, "rude": 1})
        for one in await Flags(house.building.engine).listed():
            await send(kirill, f"/console/flags/{one.id}/dismiss")
        assert "flagged 0 answers of 2" in await accuracy(kirill)


async def test_what_staff_write_of_an_answer_is_shown_as_text(house: Console) -> None:
    async with signed_in(house, "olga") as olga, signed_in(house, "kirill") as kirill:
        for payload in PAYLOADS[:4]:
            await flagged(house, olga, note=payload, expected=payload)
        harmless((await kirill.get("/console/flags")).text)


async def test_an_unknown_or_ambiguous_flag_and_a_foreign_turn_are_refused(house: Console) -> None:
    found = Flags(house.building.engine)
    for name in ("", "none", "%"):
        with pytest.raises(UnknownFlag):
            await found.flag(name)
    with pytest.raises(UnknownTurn):
        await found.add(ConversationId("c"), TurnId("t"), "wrong", by="olga", at=house.clock.now())


async def test_the_command_writes_the_case_of_a_flag_and_says_when_there_is_none(
    house: Console, tmp_path: Path
) -> None:
    async with signed_in(house, "olga") as olga:
        flag = await flagged(house, olga, wrong="0")
    read = DoorHouse(httpx.AsyncClient(), house.building.settings)
    row = dict(await read.flagged(flag[:8]))
    fake = FakeHouse({})
    fake.flags[flag[:8]] = row
    folder = tmp_path / "cases"

    def command(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["new", *words, "--cases", str(folder)], obj=Opens(fake))
        return done.exit_code, done.output

    code, told = await asyncio.to_thread(command, "--from-flag", flag[:8])
    assert (code, "flagged.yaml" in told) == (0, True)
    assert check_cases(folder)[1] == ()
    written = yaml.safe_load((folder / "flagged.yaml").read_text("utf-8"))
    assert (written["suite"], written["cases"]) == ("not_yet", [row])
    code, told = await asyncio.to_thread(command, "--from-flag", "nobody")
    assert (code, "no flag" in told) == (1, True)
    code, told = await asyncio.to_thread(command, "--from-flag", flag[:8])
    assert (code, "exists already" in told) == (1, True)
    code, told = await asyncio.to_thread(command)
    assert (code, "--from-flag" in told) == (2, True)


class Opens:
    """A command context whose house is a fake."""

    def __init__(self, fake: FakeHouse) -> None:
        self._fake = fake

    def house(self) -> "Opens":
        return self

    async def __aenter__(self) -> FakeHouse:
        return self._fake

    async def __aexit__(self, *fault: object) -> None:
        return None
