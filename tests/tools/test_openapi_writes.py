"""Writes over HTTP: proposed, confirmed, done once; a lost answer is looked for, and what nobody can tell is said so."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.tools.desk_server import Desk, desk
from tests.tools.desks import MAPPING, asking, box, described, known
from tests.tools.shop import ANNA, BORIS, Clock
from tools.context import CustomerId
from tools.errors import Expired, NotFound, Unconfirmed
from tools.intents.fake import FakeIntents
from tools.intents.once import PATIENCE
from tools.openapi.asking import Asking
from tools.proposal import Effect, Proposal
from tools.toolbox import Toolbox

KEY, NEXT = 'idempotency = "Idempotency-Key"\n', "[changes.close_case]"
LOOK = """[changes.open_case.look]
operation = "listCases"
from_caller = { customer_id = "customer" }
rows = "cases"
owner = "customer.id"
mark = "reference"
fields = { number = "number" }
pages = { by = "cursor", argument = "cursor", next = "next_cursor", size_argument = "limit", size = 5, most = 2 }

"""
MARKED = MAPPING.replace(KEY, 'mark = "reference"\n').replace(NEXT, LOOK + NEXT)
"""The same for a system that takes no key but keeps what it is sent."""
BLIND = MAPPING.replace(KEY, "")
"""The same for one that does neither."""


@dataclass
class House:
    """Desk, and the tools over it."""

    tools: Toolbox
    desk: Desk
    intents: FakeIntents
    clock: Clock
    asked: Asking

    async def proposed(self, name: str, who: CustomerId = ANNA, **arguments: Any) -> Proposal:
        found = json.loads(await self.tools.call(name, arguments, known(who, now=self.clock.now)))
        assert found["ok"], found
        return Proposal.from_dict(found["proposal"])

    async def done(self, proposal: Proposal, who: CustomerId = ANNA, key: str = "") -> Effect:
        return await self.tools.execute(proposal, known(who, now=self.clock.now), key=key or proposal.id)

    def said(self, effect: Effect) -> str:
        return self.tools.effect_text(effect, "ru")

    @property
    def opened(self) -> int:
        return len(self.desk.cases) - 3


@pytest.fixture(params=[MAPPING])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    clock, intents = Clock(), FakeIntents()
    async with desk() as running, asking(running) as asked:
        tools = box(described(tmp_path, request.param), asked, intents, now=clock)
        yield House(tools=tools, desk=running, intents=intents, clock=clock, asked=asked)


keyless = pytest.mark.parametrize("house", [MARKED], indirect=True)
blind = pytest.mark.parametrize("house", [BLIND], indirect=True)
every = pytest.mark.parametrize(
    "house", [MAPPING, MARKED, BLIND], indirect=True, ids=["key", "mark", "blind"]
)


class TestOpening:
    async def test_a_case_is_asked_about_first_and_opened_after_the_yes(self, house: House) -> None:
        raw = json.loads(await house.tools.call("open_case", {"subject": "Мигает лампа"}, known(ANNA)))
        assert raw["sentences"] == ["Завести обращение «Мигает лампа»? Подробности: –"]
        assert house.desk.asked == []
        effect = await house.done(await house.proposed("open_case", subject="Мигает лампа"))
        assert (effect.state, house.said(effect)) == ("done", "Обращение № 104 заведено.")
        assert house.desk.sent == [{"customer_id": "c-001", "subject": "Мигает лампа", "channel": "chat"}]
        assert house.desk.cases[-1]["customer"]["id"] == ANNA

    @every
    async def test_ten_at_once_have_one_effect_and_tell_the_same(self, house: House) -> None:
        proposal = await house.proposed("open_case", subject="Мигает лампа")
        effects = await asyncio.gather(*(house.done(proposal, key="k") for _ in range(10)))
        assert sorted(effect.state for effect in effects) == ["already_done"] * 9 + ["done"]
        assert {effect.facts["number"] for effect in effects} == {104}
        assert house.opened == 1

    @every
    async def test_two_like_cases_are_two_when_the_customer_says_so_twice(self, house: House) -> None:
        for number in (104, 105):
            house.clock.now += timedelta(minutes=1)
            proposal = await house.proposed("open_case", subject="Мигает лампа")
            assert (await house.done(proposal)).facts["number"] == number

    async def test_another_customer_a_changed_proposal_and_a_late_yes_do_nothing(self, house: House) -> None:
        proposal = await house.proposed("open_case", subject="Мигает лампа")
        with pytest.raises(NotFound):
            await house.done(proposal, BORIS)
        altered = Proposal.from_dict({**proposal.to_dict()})
        object.__setattr__(altered, "arguments", {"subject": "Верните всё"})
        with pytest.raises(Unconfirmed):
            await house.done(altered)
        house.clock.now += timedelta(hours=1)
        with pytest.raises(Expired):
            await house.done(proposal)
        assert house.opened == 0

    @pytest.mark.parametrize("subject", ["ab", "x" * 121])
    async def test_what_the_document_does_not_allow_is_not_sent(self, house: House, subject: str) -> None:
        effect = await house.done(await house.proposed("open_case", subject=subject))
        assert (effect.state, effect.facts["reason"]) == ("refused", "wrong_value")
        assert house.desk.asked == []

    @every
    async def test_a_refusal_is_told_and_a_new_yes_is_sent_anew(self, house: House) -> None:
        house.desk.instead = lambda asked: (422, {"error": "no"}) if asked.startswith("POST") else None
        proposal = await house.proposed("open_case", subject="Мигает лампа")
        effect = await house.done(proposal)
        assert (effect.state, house.said(effect)) == ("refused", "Система не приняла этот запрос.")
        house.desk.instead = lambda asked: None
        assert (await house.done(proposal)).state == "done"
        assert house.opened == 1


class TestLostAnswers:
    async def test_with_a_key_it_is_sent_again_and_done_once(self, house: House) -> None:
        house.desk.lose = 1
        effect = await house.done(await house.proposed("open_case", subject="Мигает лампа"))
        assert (effect.state, house.opened, house.said(effect)) == ("done", 1, "Обращение № 104 заведено.")
        keys = [line for head in house.desk.heads for line in head.split("\r\n") if "dempotency" in line]
        assert len(keys) == 2
        assert len(set(keys)) == 1

    @keyless
    async def test_without_one_its_mark_is_looked_for(self, house: House) -> None:
        house.desk.lose = 1
        effect = await house.done(await house.proposed("open_case", subject="Мигает лампа"))
        assert (effect.state, house.opened, effect.facts["number"]) == ("done", 1, 104)
        assert [asked.split("?")[0] for asked in house.desk.asked] == ["POST /api/cases", "GET /api/cases"]

    @keyless
    async def test_a_mark_in_another_customers_case_proves_nothing(self, house: House) -> None:
        house.desk.filters = False
        house.desk.lose = 1
        proposal = await house.proposed("open_case", subject="Мигает лампа")
        house.desk.instead = lambda asked: _give_away(house.desk) if asked.startswith("GET") else None
        assert (await house.done(proposal)).state == "unknown"

    @blind
    async def test_where_nothing_can_be_looked_at_a_person_is_called_and_nothing_repeated(
        self, house: House
    ) -> None:
        house.desk.lose = 1
        proposal = await house.proposed("open_case", subject="Мигает лампа")
        effect = await house.done(proposal)
        assert (effect.state, house.opened) == ("unknown", 1)
        assert "Проверит сотрудник" in house.said(effect)
        house.clock.now += PATIENCE
        assert (await house.done(_fresh(proposal, house.clock))).state == "unknown"
        assert house.opened == 1

    @every
    async def test_a_system_that_fails_before_it_does_anything_is_never_told_as_done(
        self, house: House
    ) -> None:
        house.desk.refuse = 9
        effect = await house.done(await house.proposed("open_case", subject="Мигает лампа"))
        assert (effect.state, house.opened) == ("unknown", 0)

    @keyless
    async def test_after_a_crash_it_is_looked_for_before_it_is_sent_again(self, house: House) -> None:
        """The process died between the write and its record: the row of the intent is all that is left."""
        proposal = await house.proposed("open_case", subject="Мигает лампа")
        house.desk.lose, house.desk.instead = (
            1,
            lambda asked: (500, None) if asked.startswith("GET") else None,
        )
        assert (await house.done(proposal)).state == "unknown"
        house.desk.instead = lambda asked: None
        house.clock.now += PATIENCE
        effect = await house.done(_fresh(proposal, house.clock))
        assert (effect.state, effect.facts["number"], house.opened) == ("already_done", 104, 1)

    @keyless
    async def test_a_look_that_did_not_see_everything_does_not_allow_a_second_sending(
        self, house: House
    ) -> None:
        proposal = await house.proposed("open_case", subject="Мигает лампа")
        house.desk.refuse = 1
        for n in range(30):
            house.desk.open(ANNA, f"Вопрос {n}")
        assert (await house.done(proposal)).state == "unknown"
        house.clock.now += PATIENCE
        before = len(house.desk.cases)
        assert (await house.done(_fresh(proposal, house.clock))).state == "unknown"
        assert len(house.desk.cases) == before

    async def test_an_answer_of_another_shape_is_not_taken_for_a_success(self, house: House) -> None:
        house.desk.instead = lambda asked: (201, {"case": {"number": "сто"}})
        effect = await house.done(await house.proposed("open_case", subject="Мигает лампа"))
        assert effect.state == "unknown"

    async def test_a_system_that_cannot_be_reached_changed_nothing(self, house: House) -> None:
        proposal = await house.proposed("open_case", subject="Мигает лампа")
        house.desk.instead = lambda asked: (401, None)
        effect = await house.done(proposal)
        assert (effect.state, effect.facts["reason"]) == ("refused", "unsent")
        assert house.said(effect) == "Система сейчас не отвечает, поэтому ничего не изменилось."


class TestClosing:
    async def test_the_question_names_the_customers_own_case(self, house: House) -> None:
        raw = json.loads(await house.tools.call("close_case", {"number": 101}, known(ANNA)))
        assert raw["sentences"] == ["Закрыть обращение № 101, «Не горит фонарь»?"]
        effect = await house.done(await house.proposed("close_case", number=101))
        assert (effect.state, house.said(effect)) == ("done", "Обращение № 101 закрыто.")
        assert house.desk.cases[0]["state"] == "closed"
        # The document names no body for this change, so none is sent.
        assert house.desk.sent[-1] is None

    async def test_another_customers_case_looks_absent_and_stays(self, house: House) -> None:
        absent = await house.tools.call("close_case", {"number": 999}, known(ANNA))
        foreign = await house.tools.call("close_case", {"number": 102}, known(ANNA))
        assert absent == foreign
        assert json.loads(foreign)["fault"] == "not_found"
        assert all(asked.startswith("GET") for asked in house.desk.asked)

    async def test_a_case_that_changed_or_went_to_another_is_left_alone(self, house: House) -> None:
        for change in ({"answer": "Заменим."}, {"customer": {"id": BORIS}}):
            proposal = await house.proposed("close_case", number=101)
            house.desk.cases[0].update(change)
            effect = await house.done(proposal)
            assert (effect.state, effect.facts["reason"]) == ("refused", "changed")
        assert house.desk.cases[0]["state"] == "open"

    async def test_a_lost_answer_is_looked_for_in_the_thing_itself(self, house: House) -> None:
        house.desk.lose = 1
        effect = await house.done(await house.proposed("close_case", number=101))
        assert (effect.state, house.desk.cases[0]["state"]) == ("done", "closed")
        assert sum(asked.startswith("POST") for asked in house.desk.asked) == 1

    async def test_two_answers_to_one_question_close_it_once(self, house: House) -> None:
        proposal = await house.proposed("close_case", number=101)
        first, second = await asyncio.gather(house.done(proposal, key="a"), house.done(proposal, key="b"))
        assert sorted([first.state, second.state]) == ["done", "refused"]


def _give_away(desk: Desk) -> tuple[int, Any]:
    for case in desk.cases:
        case["customer"] = {"id": BORIS}
    return 200, {"cases": desk.cases, "next_cursor": None}


def _fresh(proposal: Proposal, clock: Clock) -> Proposal:
    """Return it as a durable turn repeats it: within its time, whatever the clock says."""
    later = Proposal.from_dict(proposal.to_dict())
    object.__setattr__(later, "expires", clock.now + timedelta(minutes=10))
    return later
