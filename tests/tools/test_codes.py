"""One-time codes: taken once, in their conversation, in their time; nobody learns whose contact is known."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.tools.code_desk import ANNA, NOBODY, Desk, customer, desk, other
from tools.assurance import KNOWLEDGE, ByCode, ByEmail, verify
from tools.codes import tables as t
from tools.codes.port import Sent
from tools.contacts import Contact
from tools.context import ConversationId, CustomerId, TurnId
from tools.crm.fake import FakeCRM
from tools.errors import Unavailable
from tools.identity import Refused, Verified

VERIFIED = Verified(customer=CustomerId("c-001"))


@pytest.fixture
async def codes(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as opened:
        yield opened


async def test_a_code_goes_to_the_contact_on_file_and_tells_whose_it_is(codes: Desk) -> None:
    assert await codes.send() == Sent(minutes=10)
    assert codes.letter.to == "anna@example.com"
    assert "Фонарь" in codes.letter.text
    assert await codes.check(codes.code) == VERIFIED


async def test_a_phone_finds_the_customer_and_the_code_still_goes_to_the_mailbox_on_file(codes: Desk) -> None:
    await codes.send(Contact(by="phone", value="79000000002"))
    assert codes.letter.to == "boris@example.com"
    assert await codes.check(codes.code) == Verified(customer=CustomerId("c-002"))


async def test_a_code_is_taken_once(codes: Desk) -> None:
    await codes.send()
    assert await codes.check(codes.code, turn="first") == VERIFIED
    assert await codes.check(codes.code) == Refused(reason="expired")
    # The turn that took it may ask again: a crash came between the code and its record.
    assert await codes.check(codes.code, turn="first") == VERIFIED


async def test_of_two_who_bring_it_at_once_one_is_verified(codes: Desk) -> None:
    await codes.send()
    both = await asyncio.gather(*(codes.codes.check(codes.code, codes.caller()) for _ in range(2)))
    assert sorted(isinstance(answer, Verified) for answer in both) == [False, True]


async def test_a_code_gets_old(codes: Desk) -> None:
    await codes.send()
    codes.later(minutes=10)
    assert await codes.check(codes.code) == Refused(reason="expired")


async def test_a_new_code_takes_the_place_of_the_old_one(codes: Desk) -> None:
    await codes.send()
    old = codes.code
    await codes.send()
    if old != codes.code:
        assert await codes.check(old) == Refused(reason="wrong")
    assert await codes.check(codes.code) == VERIFIED


async def test_a_code_of_another_conversation_is_worth_nothing(codes: Desk) -> None:
    await codes.send(conversation="one")
    assert await codes.check(codes.code, "two") == Refused(reason="expired")
    mine = codes.code
    await codes.send(Contact(by="email", value="boris@example.com"), "two")
    if mine != codes.code:
        assert await codes.check(mine, "two") == Refused(reason="wrong")
    assert await codes.check(codes.code, "two") == Verified(customer=CustomerId("c-002"))
    assert await codes.check(mine, "one") == VERIFIED


async def test_after_five_wrong_codes_not_even_the_right_one_counts_until_the_lock_ends(codes: Desk) -> None:
    await codes.send()
    assert [await codes.wrong() for _ in range(5)] == [*["wrong"] * 4, "locked"]
    locked = await codes.check(codes.code)
    assert isinstance(locked, Refused)
    assert locked.reason == "locked"
    assert locked.until is not None
    again = await codes.send()
    assert isinstance(again, Refused)
    assert again.reason == "locked"
    codes.now = locked.until
    await codes.send()
    assert await codes.check(codes.code) == VERIFIED


async def test_the_lock_of_a_contact_holds_in_every_conversation(codes: Desk) -> None:
    codes.allow(per_contact=10)
    for n in range(5):
        await codes.send(conversation=f"guess {n}")
        await codes.wrong(f"guess {n}")
    answer = await codes.send(conversation="fresh")
    assert isinstance(answer, Refused)
    assert answer.reason == "locked"
    assert isinstance(await codes.send(Contact(by="email", value="boris@example.com"), "fresh"), Sent)


async def test_a_turn_that_is_repeated_fails_once(codes: Desk) -> None:
    await codes.send()
    for _ in range(7):
        assert await codes.check(other(codes.code), turn="same") == Refused(reason="wrong")


async def test_a_lock_and_an_open_code_survive_a_restart(codes: Desk) -> None:
    await codes.send()
    await codes.wrong()
    codes.open()
    assert [await codes.wrong() for _ in range(4)][-1] == "locked"
    await codes.send(Contact(by="email", value="boris@example.com"), "two")
    codes.open()
    assert await codes.check(codes.code, "two") == Verified(customer=CustomerId("c-002"))


async def test_whether_a_contact_is_known_shows_in_no_answer(codes: Desk) -> None:
    """Everything that can be done with a contact is answered alike for a customer's and for nobody's."""

    async def story(contact: Contact, conversation: str) -> list[object]:
        told: list[object] = [await codes.send(contact, conversation) for _ in range(4)]
        told += [await codes.wrong(conversation) for _ in range(6)]
        return [answer.reason if isinstance(answer, Refused) else answer for answer in told]

    assert await story(ANNA, "one") == await story(NOBODY, "two")
    assert {letter.to for letter in codes.sender.sent} == {"anna@example.com"}


async def test_no_code_fits_a_contact_that_is_nobodys(codes: Desk) -> None:
    codes.allow(failures=10_000)
    await codes.send(NOBODY)
    assert {await codes.wrong() for _ in range(50)} == {"wrong"}
    assert codes.sender.sent == []


@pytest.mark.parametrize(
    ("limit", "contacts", "conversations"),
    [
        ("per_conversation", ["anna@example.com", "boris@example.com"], ["one", "one"]),
        ("per_contact", ["anna@example.com", "anna@example.com"], ["one", "two"]),
        ("per_contact", ["nobody@example.com", "nobody@example.com"], ["one", "two"]),
        ("per_hour", ["anna@example.com", "boris@example.com"], ["one", "two"]),
    ],
)
async def test_codes_are_rationed(
    codes: Desk, limit: str, contacts: list[str], conversations: list[str]
) -> None:
    codes.allow(**{limit: 1})
    first, second = [
        await codes.send(Contact(by="email", value=contact), conversation)
        for contact, conversation in zip(contacts, conversations, strict=True)
    ]
    assert isinstance(first, Sent)
    assert isinstance(second, Refused)
    assert second.reason == "too_many"
    assert second.until is not None
    codes.now = second.until
    assert isinstance(await codes.send(Contact(by="email", value=contacts[1]), conversations[1]), Sent)


async def test_who_is_known_gets_a_code_for_nobody_else(codes: Desk) -> None:
    await codes.send(Contact(by="email", value="boris@example.com"), known="c-001")
    assert codes.letter.to == "anna@example.com"
    await codes.send(None, "two", known="c-002")
    assert codes.letter.to == "boris@example.com"


async def test_who_was_erased_after_the_code_left_is_nobody(codes: Desk) -> None:
    await codes.send()
    codes.crm._customers.clear()
    assert await codes.check(codes.code) == Refused(reason="wrong")
    assert isinstance(await codes.send(conversation="two"), Sent)
    assert len(codes.sender.sent) == 1


async def test_two_customers_of_one_mailbox_are_nobody(codes: Desk) -> None:
    codes.crm._customers[CustomerId("c-009")] = customer("c-009")
    assert isinstance(await codes.send(), Sent)
    assert codes.sender.sent == []


async def test_a_customer_without_the_contact_codes_go_to_is_answered_like_anybody(codes: Desk) -> None:
    codes.crm._customers[CustomerId("c-003")] = customer("c-003", email="", phone="+7 900 000-00-03")
    assert isinstance(await codes.send(Contact(by="phone", value="79000000003")), Sent)
    assert codes.sender.sent == []


async def test_neither_codes_nor_contacts_are_kept(codes: Desk) -> None:
    await codes.send()
    await codes.wrong()
    async with codes.engine.connect() as connection:
        rows = [*(await connection.execute(select(t.codes))), *(await connection.execute(select(t.failures)))]
    kept = repr(rows)
    assert codes.code not in kept
    assert "anna@" not in kept


async def test_a_letter_that_does_not_leave_is_not_told_and_not_quoted(
    codes: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    codes.sender.fail_with = OSError("no route to anna@example.com")
    assert isinstance(await codes.send(), Sent)
    assert "did not leave: OSError" in caplog.text
    assert "anna" not in caplog.text


async def test_a_register_that_does_not_answer_is_said_to_be_so(codes: Desk) -> None:
    codes.crm.fail_with = Unavailable()
    with pytest.raises(Unavailable):
        await codes.send()


async def test_a_letter_shows_neither_address_nor_text_when_printed(codes: Desk) -> None:
    await codes.send()
    assert codes.code not in repr(codes.letter)
    assert "anna" not in repr(codes.letter)


async def test_only_the_factors_that_count_are_looked_at() -> None:
    crm = FakeCRM([customer()])
    claim = ByEmail(email="Anna@Example.com")
    assert await verify(claim, crm=crm) == Refused(reason="off")
    assert await verify(claim, crm=crm, factors=KNOWLEDGE) == VERIFIED
    assert await verify(ByEmail(email="x@example.com"), crm=crm, factors=KNOWLEDGE) == Refused(reason="wrong")
    code = ByCode(code="123456", conversation=ConversationId("one"), turn=TurnId("t"))
    assert await verify(code, crm=crm) == Refused(reason="off")
