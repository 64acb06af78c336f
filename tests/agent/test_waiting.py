"""A customer who waits out of hours: says where to answer, asks again, goes on with the assistant."""

from dataclasses import replace

import pytest

from agent.domain import Action, Answered, Author, Button, Held, Message
from agent.ports import Situation
from tests.agent.test_turn import CLOCK, PHRASES, decide, situation

GO_ON = Button(label="Продолжить с помощником", action=Action(kind="ai"))


def waiting(text: str, *, author: Author = "ai", invited: bool = True, **changes: object) -> Situation:
    told = Message(
        seq=1,
        author=author,
        text="Сейчас сотрудников нет.",
        at=CLOCK.now(),
        buttons=(GO_ON,) if invited else (),
    )
    base = situation(text, history=(told,), **changes)
    return replace(base, conversation=replace(base.conversation, holder="queued", department="delivery"))


@pytest.mark.parametrize(
    ("text", "contact"),
    [
        ("anna@mail.example", "anna@mail.example"),
        ("Напишите на Anna.S@mail.example, пожалуйста", "Anna.S@mail.example"),
        ("мой телефон +7 900 123-45-67", "+7 900 123-45-67"),
        ("8 (900) 123-45-67", "8 (900) 123-45-67"),
        ("call me at +44 20 7946 0958", "+44 20 7946 0958"),
    ],
)
@pytest.mark.parametrize("author", ["ai", "system"])
async def test_a_contact_that_was_asked_for_is_noted_as_it_was_written(
    text: str, contact: str, author: Author
) -> None:
    ledger, writer = await decide(waiting(text, author=author))
    record = ledger.record
    assert (record.outcome, record.holder, record.contact, writer.asked) == (Held(), "queued", contact, [])
    assert record.replies[0].text == PHRASES.say("person.reached", record.language)


async def test_a_bare_contact_is_in_no_language() -> None:
    ledger, _ = await decide(waiting("anna@mail.example"))
    assert ledger.record.language == "ru"


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("anna@mail.example", {"invited": False}),
        ("почему посылка 80090012345678 до сих пор не приехала?", {}),
        ("anna@mail.example или boris@mail.example", {}),
        ("в прошлый раз курьер звонил мне на +7 900 123-45-67 и так и не приехал вовремя вечером", {}),
        ("жду", {}),
        ("1045-А", {}),
    ],
    ids=["nobody asked", "a question", "two of them", "a story", "no contact", "an order"],
)
async def test_anything_else_is_left_to_the_person(text: str, how: dict[str, bool]) -> None:
    ledger, _ = await decide(waiting(text, **how))
    assert (ledger.record.outcome, ledger.record.replies, ledger.record.contact) == (Held(), (), "")


async def test_the_button_goes_on_with_the_assistant_whatever_was_left() -> None:
    ledger, _ = await decide(waiting("", action=Action(kind="ai")))
    assert (ledger.record.outcome, ledger.record.holder) == (Answered(), "ai")
