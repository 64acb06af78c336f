"""The cheap path through a turn: an approved answer is given whole, cited, and no model is asked."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from agent.approved import SURE, Approving, as_approved
from agent.confidence import Calibration
from agent.domain import Action, Answered, Cost, Escalated, Held, Message, TurnRecord
from agent.extractive import offers
from agent.fake import FakeFacts, FakeWriter, InlineSteps
from agent.intents import Offer
from agent.ports import Situation
from agent.promise import Promise
from knowledge.types import Approved, DocumentId, Language, Passage, PassageId, Query
from tests.agent.test_turn import CLOCK, GROUNDED, RETURNS, Ledger, house, situation
from tools.context import TurnId
from tools.crm.fake import FakeCRM
from tools.crm.functions import crm_tools
from tools.orders.fake import FakeOrders
from tools.orders.functions import order_tools
from tools.phrases import Phrases
from tools.toolbox import TEXTS, Toolbox

QUESTION = "Сколько действует подарочная карта?"


def passage(text: str, *, id: str = "cards#1", language: Language = "ru") -> Passage:
    return replace(
        RETURNS,
        id=PassageId(id),
        document=DocumentId(id.split("#")[0]),
        title="Подарочные карты",
        heading=QUESTION,
        text=text,
        language=language,
    )


CARDS = passage("Подарочная карта действует 12 месяцев со дня покупки. Один раз продлим её на 3 месяца.")
ORDERS = passage("Статус заказа виден в разделе «Мои заказы».", id="orders#1")


class Shelf:
    """Approved answers as a test names them."""

    def __init__(self, *known: Approved) -> None:
        self.known = known

    async def approved(self, language: Language) -> Sequence[Approved]:
        return self.known if language == "ru" else ()


def approved(question: str = QUESTION, answer: Passage = CARDS) -> Approved:
    return Approved(question=question, passage=answer)


def tool_offers() -> list[Offer]:
    phrases = Phrases(Path(TEXTS))
    toolbox = Toolbox(order_tools(FakeOrders({}), phrases), crm_tools(FakeCRM({}), phrases))
    return [offer for tool in toolbox.tools() for offer in offers(tool)]


async def ended(
    at: Situation | str,
    *known: Approved,
    live: Sequence[Passage] = (RETURNS, CARDS),
    tools: Sequence[Offer] = (),
) -> tuple[TurnRecord, FakeWriter, Ledger]:
    facts = Approving(FakeFacts(*live), Shelf(*known), offers=tools)
    writer = FakeWriter(GROUNDED)
    turn, ledger = house(situation(at) if isinstance(at, str) else at, writer, facts=facts)  # type: ignore[arg-type]
    await turn.run(TurnId("t1"), steps=InlineSteps())
    return ledger.record, writer, ledger


@pytest.mark.parametrize("said", [QUESTION, "здравствуйте, подскажите сколько действует подарочная карта"])
async def test_the_same_question_gets_the_approved_answer_and_no_model_is_asked(said: str) -> None:
    record, writer, ledger = await ended(said, approved())
    assert writer.asked == []
    assert (record.outcome, record.path, record.model, record.cost) == (Answered(), "approved", "", Cost())
    assert " ".join(one.text for one in ledger.appended) == CARDS.text
    assert {c.passage for reply in record.replies for c in reply.citations} == {"cards#1"}
    assert all(one.citations for one in ledger.appended), "each sentence names its passage"
    assert record.confidence == SURE
    assert (record.signals, record.evidence) == ({}, ("cards#1",))


async def test_a_citation_names_the_wording_that_was_asked_and_no_other() -> None:
    answer = replace(CARDS, heading=f"Виды › {QUESTION} Какой срок у карты?")
    record, _, _ = await ended(QUESTION, approved(answer=answer), live=(RETURNS, answer))
    titles = {c.title for reply in record.replies for c in reply.citations}
    assert titles == {f"Подарочные карты › Виды › {QUESTION}"}


async def test_a_question_nobody_approved_an_answer_to_goes_the_usual_way() -> None:
    record, writer, _ = await ended("Сколько действует скидочная карта?", approved())
    assert len(writer.asked) == 1
    assert record.path == ("model" if record.model else "")


async def test_an_answer_that_is_live_no_more_is_not_given() -> None:
    _, writer, _ = await ended(QUESTION, approved(), live=(RETURNS,))
    assert len(writer.asked) == 1


async def test_a_follow_up_is_never_matched_by_itself() -> None:
    said = (Message(seq=1, author="customer", text="Расскажите про корпоративные карты", at=CLOCK.now()),)
    follow_up = approved("А для юрлиц?")
    _, writer, _ = await ended(situation("а для юрлиц?", history=said), follow_up)
    assert len(writer.asked) == 1
    _, writer, _ = await ended(situation(QUESTION, history=said), approved())
    assert writer.asked == [], "a whole question stands alone in the middle of a conversation, too"


async def test_two_approved_answers_to_one_question_are_none() -> None:
    other = passage("Подарочная карта действует 6 месяцев.", id="old#1")
    _, writer, _ = await ended(QUESTION, approved(), approved(answer=other), live=(CARDS, other))
    assert len(writer.asked) == 1
    again = replace(CARDS, id=PassageId("copy#1"))
    _, writer, _ = await ended(QUESTION, approved(), approved(answer=again), live=(CARDS, again))
    assert writer.asked == [], "the same words twice are one answer"


async def test_what_needs_the_customers_own_data_is_not_answered_from_a_document() -> None:
    for said in ("Где мой заказ?", "где заказ 1045-А?"):
        _, writer, _ = await ended(said, approved(said, ORDERS), live=(RETURNS, ORDERS), tools=tool_offers())
        assert len(writer.asked) == 1, said
    _, writer, _ = await ended(QUESTION, approved(), tools=tool_offers())
    assert writer.asked == []


@pytest.mark.parametrize("holder", ["queued", "person"])
async def test_while_a_person_holds_the_conversation_nothing_is_said(holder: str) -> None:
    at = situation(QUESTION)
    at = replace(at, conversation=replace(at.conversation, holder=holder))
    record, writer, ledger = await ended(at, approved())
    assert (record.outcome, writer.asked, ledger.appended) == (Held(), [], [])


async def test_a_person_asked_for_and_danger_come_first() -> None:
    button = situation(QUESTION, action=Action(kind="person"))
    record, _, ledger = await ended(button, approved())
    assert record.outcome == Escalated(reason="customer_asked")
    said = "Я хочу умереть. " + QUESTION
    record, _, _ = await ended(said, approved(said))
    assert record.outcome == Escalated(reason="distress")
    assert ledger.appended == []


async def test_the_disclosure_stands_before_an_approved_answer_where_it_is_due() -> None:
    at = situation(QUESTION)
    record, _, _ = await ended(
        replace(at, conversation=replace(at.conversation, disclosed=False)), approved()
    )
    assert len(record.replies) == 2
    assert record.path == "approved"


async def test_a_person_who_comes_meanwhile_keeps_the_word() -> None:
    facts = Approving(FakeFacts(CARDS), Shelf(approved()))
    turn, ledger = house(situation(QUESTION), FakeWriter(), facts=facts)  # type: ignore[arg-type]
    ledger.taken = True
    await turn.run(TurnId("t1"), steps=InlineSteps())
    assert (ledger.record.outcome, ledger.appended) == (Held(), [])


async def test_a_table_is_left_to_those_who_can_read_it() -> None:
    table = passage("| Срок | Карта |\n| --- | --- |\n| 12 месяцев | подарочная |")
    _, writer, _ = await ended(QUESTION, approved(answer=table), live=(RETURNS, table))
    assert len(writer.asked) == 1


@pytest.mark.parametrize(("wrong", "given"), [(0.05, True), (0.001, False)])
async def test_a_stricter_promise_than_the_comparison_keeps_closes_the_cheap_path(
    wrong: float, given: bool
) -> None:
    found = await Approving(FakeFacts(CARDS), Shelf(approved())).search(Query(QUESTION, language="ru"))
    promise = Promise(at_most_wrong=wrong, confidence=0.9)
    curve = Calibration(weights={}, intercept=0.0)
    answer = as_approved(found, question=QUESTION, language="ru", calibration=curve, promise=promise)
    assert (answer is not None) is given
