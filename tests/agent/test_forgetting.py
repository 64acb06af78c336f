"""Who asks to be forgotten is asked once more, by a button; whoever else says something like it is not."""

from dataclasses import replace

import pytest

from agent import language as words
from agent.domain import Action, Answered, Message, Waiting
from agent.ports import Situation
from agent.reception import ERASE
from tests.agent.test_turn import CLOCK, decide, situation

ASKED = [
    "Удалите мои данные",
    "удалите, пожалуйста, все мои персональные данные",
    "Хочу удалить свои данные",
    "сотрите всё, что вы обо мне знаете",
    "Требую удаления моих персональных данных",
    "удалите мой аккаунт",
    "Забудьте меня",
    "удали всю информацию обо мне",
    "Delete my data",
    "please erase all my personal data",
    "delete everything you know about me",
    "I want you to delete my account",
    "forget me please",
    "I invoke my right to be forgotten",
]
OTHER = [
    "удалите торшер из заказа",
    "уберите мой старый адрес",
    "что будет, если я удалю приложение?",
    "Где мои данные о заказе?",
    "забудьте про люстру",
    "не забудьте мне позвонить",
    "remove the lamp from my order",
    "how do I remove a scratch from the lamp?",
    "delete my address",
    "I forgot my password",
    "how long do you keep my data?",
]


@pytest.mark.parametrize("text", ASKED)
def test_the_wish_to_be_forgotten_is_understood(text: str) -> None:
    assert words.wants_erasure(text)


@pytest.mark.parametrize("text", OTHER)
def test_what_only_sounds_like_it_is_not(text: str) -> None:
    assert not words.wants_erasure(text)


def pressed(*, yes: bool, under: Message | None) -> Situation:
    at = situation("")
    action = Action(kind="confirm", target=ERASE, yes=yes)
    batch = (replace(at.batch[-1], text="", action=action),)
    return replace(at, batch=batch, history=(under,) if under else ())


async def question() -> Message:
    ledger, _ = await decide(situation("Удалите мои данные"))
    reply = ledger.record.replies[-1]
    return Message(seq=1, author="ai", text=reply.text, at=CLOCK.now(), buttons=reply.buttons)


async def test_the_customer_is_asked_once_more_and_a_yes_is_written_down() -> None:
    ledger, writer = await decide(situation("Удалите мои данные"))
    assert ledger.record.outcome == Waiting(what="confirmation", target=ERASE)
    assert [button.action.yes for button in ledger.record.replies[-1].buttons] == [True, False]
    assert ledger.erasures == 0
    done, writer = await decide(pressed(yes=True, under=await question()))
    assert (done.erasures, done.record.outcome) == (1, Answered())
    assert "request-1" in done.record.replies[-1].text
    assert writer.asked == []


async def test_a_no_and_a_button_of_long_ago_delete_nothing() -> None:
    kept, _ = await decide(pressed(yes=False, under=await question()))
    stale, _ = await decide(pressed(yes=True, under=None))
    assert (kept.erasures, stale.erasures) == (0, 0)
    assert "ничего не удаляю" in kept.record.replies[-1].text


async def test_who_is_not_surely_the_customer_is_asked_who_they_are() -> None:
    for at in (situation("Удалите мои данные"), pressed(yes=True, under=await question())):
        unsure = replace(at, conversation=replace(at.conversation, customer_id="anna", assurance="channel"))
        ledger, _ = await decide(unsure)
        assert ledger.erasures == 0
        assert "erase" not in str(ledger.record.replies[-1].buttons)
