"""«Откуда вы это знаете?» is answered from the receipt of the last answer, without a model."""

from dataclasses import replace

import pytest

from agent import language as words
from agent.domain import Answered, Clarify, Message
from agent.moves import Explain
from agent.reception import receive
from tests.agent.test_receipt import ABOUT_ORDER, FAR, ROW
from tests.agent.test_turn import CLOCK, FakeWriter, InlineSteps, decide, house, situation
from tools.context import TurnId

ASKED = [
    "Почему вы мне это предлагаете?",
    "почему ты мне это показываешь",
    "Зачем вы предлагаете мне этот товар?",
    "С чего вы мне это советуете?",
    "А почему мне показывают это?",
    "Откуда вы знаете?",
    "откуда вы это знаете??",
    "Откуда ты знаешь мой адрес?",
    "Откуда вы взяли мои данные?",
    "откуда вам это известно",
    "Откуда у вас мой номер?",
    "Откуда такие данные?",
    "Какие данные вы использовали?",
    "какие мои данные использованы для ответа?",
    "Какие данные обо мне вы использовали?",
    "Какие персональные данные вы смотрели, чтобы ответить?",
    "На основании чего вы так решили?",
    "На чём основан ваш ответ?",
    "Why are you showing me this?",
    "why are you offering me that",
    "Why am I seeing this?",
    "How do you know that?",
    "how do you know my address?",
    "How did you find out about my order?",
    "Where did you get my data from?",
    "Where did you get this information?",
    "What data did you use?",
    "Which of my data did you use?",
    "what personal data was used for this answer?",
    "What information about me did you use to answer?",
    "What is that based on?",
]
OTHERS = [
    "Почему вы предлагаете только самовывоз?",
    "Почему не пришёл заказ?",
    "Откуда вы отправляете заказы?",
    "Откуда забрать заказ?",
    "Откуда идёт посылка и когда будет?",
    "Какие данные нужны для возврата?",
    "Какие данные указать в заявлении?",
    "Какую лампу вы посоветуете?",
    "Какие материалы вы использовали в этой люстре?",
    "Как узнать статус заказа?",
    "На основании чего мне отказали в возврате?",
    "Почему так дорого?",
    "Что вы обо мне помните?",
    "Why is delivery so expensive?",
    "Why do you only offer pickup?",
    "How do I know my size?",
    "How do you know when to change a bulb?",
    "Where did my order go?",
    "Where do you ship from?",
    "What data do you need for a return?",
    "What information should I give?",
    "Which bulb did you use in this lamp?",
    "What is the warranty based on?",
    "what do you know about chandeliers?",
]


@pytest.mark.parametrize("text", ASKED)
def test_what_was_used_is_asked_for_in_many_words(text: str) -> None:
    assert isinstance(receive(situation(text), text), Explain)


@pytest.mark.parametrize("text", OTHERS)
def test_a_question_about_something_else_is_none(text: str) -> None:
    assert not words.asks_what_was_used(text)


def spoken(turn: str, seq: int) -> Message:
    return Message(seq=seq, author="ai", text="…", at=CLOCK.now(), turn=TurnId(turn))


async def test_it_is_answered_from_the_receipt_of_the_last_answer_and_no_model_is_asked() -> None:
    drafted = replace(ABOUT_ORDER, reads=(replace(FAR, masked=True, kinds={"name": 1}),))
    before, _ = await decide(
        situation("где заказ 1051?", purposes=frozenset({"orders:read"}), granted=(ROW,)), drafted
    )
    thanks, _ = await decide(situation("спасибо"))
    history = (spoken("t0", 1), spoken("t00", 2))
    writer = FakeWriter()
    turn, ledger = house(situation("Откуда вы это знаете?", history=history), writer)
    ledger.earlier = {TurnId("t0"): before.record, TurnId("t00"): thanks.record}
    record = await turn.run(TurnId("t1"), steps=InlineSteps())
    assert writer.asked == []
    assert (record.outcome, record.path) == (Answered(), "receipt")
    text = record.replies[0].text
    assert "Ваши заказы: номер заказа" in text
    assert "Основание — ваше согласие от" in text
    assert "Внешняя языковая модель (far)" in text
    assert "1051" not in text
    assert record.data_used == (), "telling what was used uses nothing anew"


async def test_asked_twice_it_speaks_of_the_answer_and_not_of_the_telling() -> None:
    before, _ = await decide(situation("где заказ 1051?", purposes=frozenset({"orders:read"})), ABOUT_ORDER)
    asked = situation("What data did you use?", history=(spoken("t0", 1), spoken("t00", 2)))
    turn, ledger = house(asked, FakeWriter())
    ledger.earlier = {TurnId("t0"): before.record, TurnId("t00"): replace(before.record, path="receipt")}
    record = await turn.run(TurnId("t1"), steps=InlineSteps())
    assert "Your orders: order number" in record.replies[0].text


async def test_before_any_answer_there_is_nothing_to_tell() -> None:
    ledger, writer = await decide(situation("Какие данные вы использовали?"))
    assert writer.asked == []
    assert "ещё не отвечал" in ledger.record.replies[0].text


async def test_where_nothing_was_used_this_is_said() -> None:
    greeted, _ = await decide(situation("привет"))
    turn, ledger = house(situation("Откуда вы знаете?", history=(spoken("t0", 1),)), FakeWriter())
    ledger.earlier = {TurnId("t0"): greeted.record}
    record = await turn.run(TurnId("t1"), steps=InlineSteps())
    assert "я ваших данных не смотрел" in record.replies[0].text
    assert "Языковая модель не участвовала" in record.replies[0].text


async def test_a_question_of_ours_goes_on_waiting_for_its_answer() -> None:
    asked = situation("Откуда вы это знаете?", clarified=True, question="Где заказ?")
    ledger, _ = await decide(asked)
    assert (ledger.record.outcome, ledger.record.question) == (Clarify(), "Где заказ?")
