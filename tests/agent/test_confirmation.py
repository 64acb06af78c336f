"""An open proposal and the words said to it, in the product: only a yes to exactly that executes, once."""

from dataclasses import replace

import pytest

from agent.domain import Action, Button, Draft, Message
from agent.ports import Situation
from tests.agent.desk import FakeActions, proposal
from tests.agent.test_turn import CLOCK, decide, situation

OFFERED = proposal(CLOCK.now())
SHOWN = "Отменить заказ 1051 на 2 590 ₽? Деньги вернутся на карту •• 4412."


def line(seq: int, text: str, *buttons: Button, author: str = "ai") -> Message:
    return Message(seq=seq, author=author, text=text, at=CLOCK.now(), buttons=buttons)  # type: ignore[arg-type]


BUTTON = Button(label="Да", action=Action(kind="confirm", target=str(OFFERED.id)))
PROPOSED = (line(1, "отмените 1051", author="customer"), line(2, SHOWN, BUTTON))


def said(text: str, *, history: tuple[Message, ...] = PROPOSED) -> Situation:
    return replace(situation(text), proposal=OFFERED.to_dict(), history=history)


async def settled(at: Situation) -> tuple[FakeActions, str | None]:
    actions = FakeActions()
    ledger, _ = await decide(at, Draft(kind="answer"), Draft(kind="answer"), actions=actions)
    return actions, ledger.record.closed_proposal[1] if ledger.record.closed_proposal else None


@pytest.mark.parametrize(
    "text",
    [
        "да",
        "да, отменяйте",
        "хорошо, отменяйте заказ 1051",
        "подтверждаю, спасибо",
        "да, верните на карту 4412",
    ],
)
async def test_a_yes_to_exactly_that_executes(text: str) -> None:
    actions, state = await settled(said(text))
    assert state == "done"
    assert len(actions.executed) == 1


@pytest.mark.parametrize(
    "text",
    [
        "да, но на другой адрес",
        "yes but keep the first item",
        "да?",
        "да, а сколько это стоит?",
        "да, отмените 1052",
        "да, если деньги вернут сегодня",
        "Да. И ещё: вы работаете в субботу?",
    ],
)
async def test_a_yes_to_anything_else_executes_nothing(text: str) -> None:
    actions, state = await settled(said(text))
    assert not actions.executed
    assert state != "done"


@pytest.mark.parametrize("text", ["нет", "не отменяйте", "нет, спасибо, передумала"])
async def test_a_no_in_words_leaves_everything_as_it_is(text: str) -> None:
    actions, state = await settled(said(text))
    assert not actions.executed
    assert state == "refused"


async def test_a_yes_to_a_later_question_is_no_yes_to_the_proposal() -> None:
    later = (*PROPOSED, line(3, "а вы кто?", author="customer"), line(4, "Ассистент. Позвать сотрудника?"))
    actions, _ = await settled(said("да", history=later))
    assert not actions.executed


async def test_a_yes_to_a_person_is_no_yes_to_the_proposal() -> None:
    later = (*PROPOSED, line(3, "Давайте я помогу.", author="person"))
    actions, _ = await settled(said("да", history=later))
    assert not actions.executed


async def test_the_button_still_executes_whatever_was_asked_since() -> None:
    pressed = situation(action=Action(kind="confirm", target=str(OFFERED.id)))
    later = (*PROPOSED, line(3, "Что-нибудь ещё?"))
    actions, state = await settled(replace(pressed, proposal=OFFERED.to_dict(), history=later))
    assert state == "done"
    assert len(actions.executed) == 1
