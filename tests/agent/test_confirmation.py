"""An open proposal and the words said to it, in the product: only a yes to exactly that executes, once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.domain import Action, Button, Draft, Message, Waiting
from agent.ports import Situation
from tests.agent.desk import FakeActions, proposal
from tests.agent.test_turn import CLOCK, PHRASES, decide, situation
from tools.proposal import Proposal

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


@pytest.mark.parametrize(
    "text",
    [
        "да, если деньги вернут сегодня",
        "да, но только если вернёте сегодня",
        "если вернёте сегодня, то да",
        "отменяйте, если ещё не отправили",
        "только если бесплатно",
        "yes, but only if it is refunded today",
        "yes, if it hasn't shipped",
        "if the money comes back today, go ahead",
    ],
)
async def test_a_yes_on_a_condition_gets_the_same_proposal_again_and_executes_nothing(text: str) -> None:
    actions = FakeActions()
    ledger, writer = await decide(said(text), actions=actions)
    why, again = ledger.record.replies
    assert ledger.record.outcome == Waiting(what="confirmation", target=str(OFFERED.id))
    assert "да" in why.text or "yes" in why.text
    assert not why.buttons
    assert again.text == actions.confirmation(OFFERED, "ru")
    assert [button.action for button in again.buttons] == [
        Action(kind="confirm", target=str(OFFERED.id), yes=yes) for yes in (True, False)
    ]
    assert (ledger.record.proposal, ledger.record.closed_proposal) == (None, None)
    assert not actions.executed
    assert writer.asked == []


async def test_after_it_was_put_again_a_plain_yes_executes() -> None:
    condition = line(3, "да, если деньги вернут сегодня", author="customer")
    history = (*PROPOSED, condition, line(4, PHRASES.say("confirm.plainly", "ru")), line(5, SHOWN, BUTTON))
    actions, state = await settled(said("да", history=history))
    assert (state, len(actions.executed)) == ("done", 1)


@pytest.mark.parametrize(
    "text",
    [
        "а если я передумаю",
        "если отменю, когда вернут деньги?",
        "да, если вернёте сегодня. А вы работаете в субботу?",
        "отмените 1052, если ещё не отправили",
        "I want to know if it is free",
    ],
)
async def test_a_condition_without_a_yes_or_with_something_asked_is_a_question_like_any_other(
    text: str,
) -> None:
    actions = FakeActions()
    _, writer = await decide(said(text), Draft(kind="answer"), Draft(kind="answer"), actions=actions)
    assert len(writer.asked) == 1
    assert not actions.executed


async def test_a_condition_said_to_a_later_question_is_no_answer_to_the_proposal() -> None:
    later = (*PROPOSED, line(3, "а вы кто?", author="customer"), line(4, "Ассистент. Позвать сотрудника?"))
    _, writer = await decide(said("да, если он ответит сегодня", history=later), Draft(kind="answer"))
    assert len(writer.asked) == 1


async def test_an_expired_proposal_is_not_put_again() -> None:
    old = proposal(CLOCK.now() - timedelta(days=2))
    history = (
        PROPOSED[0],
        line(2, SHOWN, replace(BUTTON, action=replace(BUTTON.action, target=str(old.id)))),
    )
    at = replace(situation("да, если деньги вернут сегодня"), proposal=old.to_dict(), history=history)
    ledger, _ = await decide(at)
    assert ledger.record.closed_proposal == (old.id, "expired")
    assert [reply.text for reply in ledger.record.replies] == [PHRASES.say("confirm.expired", "ru")]


MOVED = Proposal.made(
    "change_address",
    owner=OFFERED.owner,
    arguments={"order_id": "1051", "new_address": "Тверь, ул. Новая, 8, кв. 2"},
    facts={"order": "1051", "old_address": "Тверь, ул. Старая, 5, кв. 12"},
    version="1",
    now=CLOCK.now(),
)


@pytest.mark.parametrize(("text", "state"), [("да, в квартиру 2", "done"), ("да, в квартиру 12", None)])
async def test_a_yes_with_a_figure_that_was_not_shown_is_a_yes_to_something_else(
    text: str, state: str | None
) -> None:
    button = Button(label="Да", action=Action(kind="confirm", target=str(MOVED.id)))
    asked = line(2, "Доставить заказ 1051 по новому адресу: Тверь, ул. Новая, 8, квартира 2?", button)
    at = replace(situation(text), proposal=MOVED.to_dict(), history=(PROPOSED[0], asked))
    actions, closed = await settled(at)
    assert closed == state
    assert bool(actions.executed) is (state == "done")


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
