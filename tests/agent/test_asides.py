"""Repetition, brevity, corrections and trouble as the turn decides them, through fakes of its ports."""

from dataclasses import replace

from agent.domain import (
    Action,
    Answered,
    Author,
    Button,
    Citation,
    Clarify,
    Draft,
    Escalated,
    Held,
    Message,
    Sentence,
    TurnRecord,
    Verified,
    Waiting,
)
from agent.fake import FakeFacts, FakeWriter, InlineSteps
from agent.ports import Situation
from tests.agent.desk import proposal
from tests.agent.test_turn import CLOCK, GROUNDED, RETURNS, house, situation
from tools.context import TurnId

CITED = Citation(document="returns", passage="returns#1", title="Возврат", quote="14 дней")
SENT = tuple(Verified(text=f"Предложение номер {n}.", citations=(CITED,)) for n in range(3))


def message(seq: int, author: Author, text: str, *, buttons: tuple[Button, ...] = ()) -> Message:
    cited = (CITED,) if author == "ai" else ()
    turn = TurnId("t0") if author == "ai" else None
    return Message(
        seq=seq, author=author, text=text, at=CLOCK.now(), turn=turn, citations=cited, buttons=buttons
    )


def after(text: str, *, asked: str = "за сколько дней можно вернуть товар?", **more: object) -> Situation:
    told = " ".join(sentence.text for sentence in SENT)
    history = (message(1, "customer", asked), message(2, "ai", told))
    return situation(text, **{"history": history, **more})  # type: ignore[arg-type]


async def decided(
    at: Situation,
    *drafts: Draft,
    sent: tuple[Verified, ...] = SENT,
    facts: FakeFacts | None = None,
) -> tuple[TurnRecord, FakeWriter]:
    writer = FakeWriter(*drafts)
    turn, ledger = house(at, writer, facts=facts)
    ledger.before = sent
    await turn.run(TurnId("t1"), steps=InlineSteps())
    return ledger.record, writer


async def test_the_last_answer_is_said_again_from_its_checked_sentences_without_a_model() -> None:
    record, writer = await decided(after("повтори"))
    assert record.outcome == Answered()
    assert record.replies[0].text == " ".join(sentence.text for sentence in SENT)
    assert record.replies[0].citations == (CITED,)
    assert writer.asked == []


async def test_a_shorter_answer_is_its_beginning() -> None:
    record, _ = await decided(after("короче"))
    assert record.replies[0].text == SENT[0].text
    short, _ = await decided(after("короче"), sent=SENT[:1])
    assert "короче не получится" in short.replies[0].text


async def test_an_answer_whose_document_was_retired_is_not_repeated_but_asked_anew() -> None:
    record, writer = await decided(after("повтори"), GROUNDED, facts=FakeFacts())
    assert [brief.question for brief in writer.asked] == ["за сколько дней можно вернуть товар?"]
    assert SENT[0].text not in record.replies[0].text


async def test_an_open_consent_stays_open_when_its_question_is_repeated() -> None:
    record, _ = await decided(after("повтори", awaiting="orders:read", question="где заказ?"))
    assert record.outcome == Waiting(what="consent", target="orders:read")
    assert record.question == "где заказ?"


async def test_an_open_proposal_is_repeated_and_not_made_twice() -> None:
    one = proposal(CLOCK.now())
    button = Button(label="Да", action=Action(kind="confirm", target=str(one.id)))
    history = (message(1, "customer", "отмените 1051"), message(2, "ai", "Отменить?", buttons=(button,)))
    record, _ = await decided(after("повтори", proposal=one.to_dict(), history=history))
    assert record.outcome == Waiting(what="confirmation", target=str(one.id))
    assert record.proposal is None
    assert record.closed_proposal is None


async def test_a_correction_drops_the_open_proposal_whatever_comes_of_the_question() -> None:
    one = proposal(CLOCK.now())
    at = after("нет, не 1051, а 1052", asked="отмените заказ 1051", proposal=one.to_dict())
    record, writer = await decided(at, GROUNDED)
    assert [brief.question for brief in writer.asked] == ["отмените заказ 1052"]
    assert record.closed_proposal == (str(one.id), "refused")


async def test_what_did_not_help_is_not_said_again() -> None:
    other = replace(
        RETURNS, id=type(RETURNS.id)("returns#2"), text="Срок возврата товара можно продлить за 5 дней."
    )
    draft = Draft(kind="answer", sentences=(Sentence(text=other.text, refs=("returns#2",)),))
    record, writer = await decided(after("это не помогло"), draft, facts=FakeFacts(RETURNS, other))
    assert [item.ref for item in writer.asked[0].evidence] == ["returns#2"]
    assert record.replies[0].text == other.text


async def test_with_nothing_else_to_say_a_person_is_offered_and_a_yes_calls_one() -> None:
    record, _ = await decided(after("это не помогло"), Draft(kind="decline"))
    offer = record.replies[0]
    assert [button.action.kind for button in offer.buttons] == ["person"]
    history = (message(1, "customer", "не помогло"), message(2, "ai", offer.text, buttons=offer.buttons))
    called, writer = await decided(situation("да", history=history))
    assert called.outcome == Escalated(reason="customer_asked")
    assert writer.asked == []


async def test_the_second_time_in_a_row_a_person_is_called() -> None:
    history = (*after("").history, message(3, "customer", "не помогло"), message(4, "ai", "Тогда так."))
    record, writer = await decided(after("тоже не помогло", history=history))
    assert record.outcome == Escalated(reason="no_help")
    assert writer.asked == []


async def test_a_question_of_a_word_that_nothing_answers_is_asked_back_once() -> None:
    other = replace(RETURNS, id=type(RETURNS.id)("exchange#1"), title="Обмен")
    facts = FakeFacts(RETURNS, other)
    record, _ = await decided(situation("возврат"), Draft(kind="answer"), facts=facts)
    assert record.outcome == Clarify()
    assert [button.label for button in record.replies[0].buttons] == ["Возврат", "Обмен"]
    again, _ = await decided(
        situation("обмен", clarified=True, question="возврат"), Draft(kind="answer"), facts=facts
    )
    assert again.outcome == Escalated(reason="not_sure")


async def test_another_question_instead_of_an_answer_to_ours_stands_alone() -> None:
    at = situation("А сколько дней есть на возврат товара?", clarified=True, question="где мой заказ?")
    _, writer = await decided(at, GROUNDED)
    assert [brief.question for brief in writer.asked] == ["А сколько дней есть на возврат товара?"]


async def test_numbers_to_call_come_first_even_while_a_person_is_awaited() -> None:
    record, writer = await decided(situation("не хочу больше жить"))
    assert record.outcome == Escalated(reason="distress")
    assert "112" in record.replies[0].text
    base = situation("не хочу больше жить")
    queued = replace(base, conversation=replace(base.conversation, holder="queued"))
    held, _ = await decided(queued)
    assert (held.outcome, held.ticket) == (Held(), None)
    assert "112" in held.replies[0].text
    person = replace(base, conversation=replace(base.conversation, holder="person"))
    silent, _ = await decided(person)
    assert silent.replies == ()
    assert writer.asked == []


async def test_a_sentence_against_the_companys_voice_stays_in_the_house() -> None:
    rude = replace(
        GROUNDED,
        sentences=(*GROUNDED.sentences, Sentence(text="Твой товар примем за 14 дней.", refs=("returns#1",))),
    )
    record, _ = await decided(situation("за сколько дней можно вернуть товар?"), rude)
    assert record.replies[0].text == GROUNDED.sentences[0].text


async def test_every_turn_remembers_what_the_customer_gave() -> None:
    record, _ = await decided(situation("меня зовут Анна, за сколько дней вернуть заказ 1051?"), GROUNDED)
    assert {fact.text for fact in record.recall.facts} == {"Анна", "1051"}
