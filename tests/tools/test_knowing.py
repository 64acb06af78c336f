"""Claims by name and postcode: true of exactly one, rationed, locked, and the same for a name nobody has."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.tools.code_desk import START, Desk, customer, desk
from tools.address import Address
from tools.codes import tables as t
from tools.codes.knowing import Knowledge
from tools.codes.port import KnowledgeRules
from tools.context import CustomerId
from tools.crm.fake import FakeCRM
from tools.errors import Unavailable
from tools.identity import ByName, Refused, Verified

ANNA = ByName(name="Анна Соколова", postcode="603073")
VERIFIED = Verified(customer=CustomerId("c-001"))
WRONG = Refused(reason="wrong")


def person(id: str, name: str, postcode: str):  # type: ignore[no-untyped-def]
    return replace(customer(id), name=name, address=Address(line="ул. Лесная, 1", postcode=postcode))


class Counter:
    """Knowledge over the desk's database and clock, with a register whose look-ups are counted."""

    def __init__(self, codes: Desk, rules: KnowledgeRules) -> None:
        self.codes = codes
        self.looked_up = 0
        register = FakeCRM(
            [person("c-001", "Анна Соколова", "603073"), person("c-002", "Борис Орлов", "101009")]
            + [person(f"c-00{n}", "Иван Иванов", "101000") for n in (3, 4)]
        )
        find = register.find_by_name

        async def counted(name: str, *, postcode: str):  # type: ignore[no-untyped-def]
            self.looked_up += 1
            return await find(name, postcode=postcode)

        register.find_by_name = counted  # type: ignore[method-assign]
        self.register = register
        self.knowing = Knowledge(codes.engine, crm=register, key="k" * 32, rules=rules, now=lambda: codes.now)

    async def claim(
        self,
        name: str = "Анна Соколова",
        postcode: str = "603073",
        *,
        conversation: str = "one",
        turn: str = "",
    ) -> Verified | Refused:
        asked = ByName(name=name, postcode=postcode)
        answer = await self.knowing.claim(asked, self.codes.caller(conversation, turn=turn))
        self.codes.later(seconds=1)
        return answer

    async def failures(self) -> int:
        async with self.codes.engine.connect() as connection:
            return int((await connection.execute(select(func.count()).select_from(t.failures))).scalar_one())


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Counter]:
    async with desk(tmp_path) as codes:
        yield Counter(codes, KnowledgeRules())


async def test_a_name_and_postcode_of_exactly_one_customer_tell_who_it_is(at: Counter) -> None:
    assert await at.claim() == VERIFIED
    assert await at.claim("  анна   СОКОЛОВА ") == VERIFIED
    assert await at.failures() == 0


@pytest.mark.parametrize(
    ("name", "postcode"),
    [
        ("Анна Соколова", "603074"),
        ("Никто Никакой", "603073"),
        ("Иван Иванов", "101000"),
        ("Анна Соколова", ""),
    ],
)
async def test_a_wrong_one_an_unknown_one_and_one_of_two_are_refused_alike(
    at: Counter, name: str, postcode: str
) -> None:
    assert await at.claim(name, postcode) == WRONG
    assert (await at.failures(), at.looked_up) == (1, 1)


@pytest.mark.parametrize("name", ["Анна Соколова", "Никто Никакой"])
async def test_after_five_wrong_postcodes_a_name_is_locked_in_every_conversation_and_the_right_one_too(
    at: Counter, name: str
) -> None:
    told = [await at.claim(name, f"10000{n}", conversation=f"c{n}") for n in range(5)]
    assert told[:4] == [WRONG] * 4
    assert isinstance(told[4], Refused)
    assert (told[4].reason, told[4].until) == ("locked", START + timedelta(seconds=4, minutes=30))
    looked = at.looked_up
    again = await at.claim(name, conversation="another")
    assert isinstance(again, Refused)
    assert (again.reason, at.looked_up) == ("locked", looked)
    assert await at.claim("Борис Орлов", "101009", conversation="his") == Verified(
        customer=CustomerId("c-002")
    )
    at.codes.later(minutes=31)
    expected = VERIFIED if name == "Анна Соколова" else WRONG
    assert await at.claim(name, conversation="another") == expected


async def test_after_five_wrong_names_a_conversation_is_locked_and_stays_so_while_it_is_tried(
    at: Counter,
) -> None:
    for n in range(5):
        await at.claim(f"Имя Фамилия{'абвгд'[n]}")
    for _ in range(3):
        locked = await at.claim()
        assert isinstance(locked, Refused)
        assert (locked.reason, locked.until) == ("locked", START + timedelta(seconds=4, minutes=30))
    assert await at.claim(conversation="hers") == VERIFIED


async def test_wrong_claims_and_wrong_codes_of_one_conversation_count_together(at: Counter) -> None:
    for n in range(4):
        await at.claim("Анна Соколова", f"10000{n}", conversation="one")
    await at.codes.send()
    assert await at.codes.wrong() == "locked"


async def test_the_same_turn_run_again_fails_once_and_says_the_same(at: Counter) -> None:
    told = {(await at.claim("Анна Соколова", "1", turn="t")).__class__ for _ in range(6)}
    assert told == {Refused}
    assert await at.failures() == 1


async def test_of_many_claims_at_once_no_more_are_heard_than_of_as_many_in_a_row(at: Counter) -> None:
    async def guess(n: int) -> Verified | Refused:
        return await at.knowing.claim(
            ByName(name="Анна Соколова", postcode=f"20000{n}"), at.codes.caller(f"c{n}")
        )

    told = await asyncio.gather(*(guess(n) for n in range(12)))
    assert at.looked_up <= 5
    assert all(isinstance(one, Refused) for one in told)


async def test_the_whole_installation_hears_so_many_wrong_claims_an_hour(tmp_path: Path) -> None:
    async with desk(tmp_path) as codes:
        at = Counter(codes, KnowledgeRules(per_hour=3))
        for n in range(3):
            await at.claim(f"Имя Фамилия{'абв'[n]}", conversation=f"c{n}")
        refused = await at.claim(conversation="hers")
        assert isinstance(refused, Refused)
        assert (refused.reason, refused.until) == ("too_many", START + timedelta(hours=1))
        codes.later(minutes=60)
        assert await at.claim(conversation="hers") == VERIFIED


async def test_a_register_that_does_not_answer_is_nobodys_failure(at: Counter) -> None:
    at.register.fail_with = Unavailable("away")
    with pytest.raises(Unavailable):
        await at.claim()
    assert await at.failures() == 0


async def test_neither_name_nor_postcode_is_kept(at: Counter) -> None:
    await at.claim("Анна Соколова", "777777")
    async with at.codes.engine.connect() as connection:
        row = (await connection.execute(select(t.failures))).one()
    assert not any("соколова" in str(value).casefold() or "777777" in str(value) for value in row)
