"""The turn's decisions, driven through fakes of its ports."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agent.confidence import calibration_of
from agent.domain import (
    Action,
    Answered,
    Button,
    Clarify,
    Conversation,
    Declined,
    Draft,
    Escalated,
    Held,
    Incoming,
    Message,
    Sentence,
    ToolUse,
    Waiting,
)
from agent.fake import FakeFacts, FakeNotices, FakeWriter, FixedClock, InlineSteps
from agent.pack import load_pack
from agent.ports import Situation
from agent.receipt import ModelRead
from agent.stages import STAGES
from agent.turn import Turn
from knowledge.types import DocumentId, Passage, PassageId
from tests.agent.desk import FakeActions, Ledger, proposal
from tools.context import ConversationId, CustomerId, Language, MessageId, TurnId
from tools.phrases import Phrases

ROOT = Path(__file__).resolve().parents[2]
PACK = load_pack(ROOT / "demo")
PHRASES = Phrases(ROOT / "agent" / "texts", timezone=PACK.timezone)
CLOCK = FixedClock()
RETURNS = Passage(
    id=PassageId("returns#1"),
    document=DocumentId("returns"),
    title="Возврат",
    heading="Сроки",
    text="Вернуть товар можно за 14 дней после получения. Лампочки из открытой упаковки не принимаем.",
    language="ru",
    n=1,
    tokens=30,
)
GROUNDED = Draft(
    kind="answer",
    sentences=(Sentence(text="Вернуть товар можно за 14 дней после получения.", refs=("returns#1",)),),
)


def situation(text: str = "", *, action: Action | None = None, **changes: object) -> Situation:
    conversation = Conversation(
        id=ConversationId("c1"),
        channel="widget",
        language="ru",
        holder="ai",
        customer_id=CustomerId("anna"),
        assurance="verified",
        disclosed=True,
        created=CLOCK.now(),
    )
    incoming = Incoming(id=MessageId("m1"), seq=1, key="k1", text=text, action=action, at=CLOCK.now())
    base = Situation(
        conversation=conversation,
        batch=(incoming,),
        history=(),
        purposes=frozenset(),
        refused=frozenset(),
        proposal=None,
        question="",
        clarified=False,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def card(purpose: str = "orders:read", *, language: Language = "ru", text: str = "") -> Message:
    """The message that asked for a consent."""
    button = Button(label="Разрешить", action=Action(kind="consent", target=purpose))
    return Message(
        seq=1,
        author="ai",
        text=text or PACK.purposes[purpose].text[language],
        at=CLOCK.now(),
        buttons=(button,),
    )


def house(
    at: Situation, writer: FakeWriter, *, facts: FakeFacts | None = None, actions: FakeActions | None = None
) -> tuple[Turn, Ledger]:
    ledger = Ledger(at)
    turn = Turn(
        records=ledger,
        facts=facts or FakeFacts(RETURNS),
        writer=writer,
        actions=actions or FakeActions(),
        phrases=PHRASES,
        pack=PACK,
        notices=FakeNotices(),
        calibration=calibration_of(PACK.folder, by_hand=PACK.thresholds.answer),
        similarity=lambda text, others: [0.9 for _ in others],
    )
    return turn, ledger


async def decide(at: Situation, *drafts: Draft, **parts: object) -> tuple[Ledger, FakeWriter]:
    writer = FakeWriter(*drafts)
    turn, ledger = house(at, writer, **parts)  # type: ignore[arg-type]
    await turn.run(TurnId("t1"), steps=InlineSteps())
    return ledger, writer


@pytest.mark.parametrize(
    "text",
    [
        "Позовите оператора!",
        "хочу поговорить с живым человеком",
        "где мой заказ 1045-А?\ncall a human please",
    ],
)
async def test_asking_for_a_person_never_reaches_the_model(text: str) -> None:
    ledger, writer = await decide(situation(text))
    assert ledger.record.outcome == Escalated(reason="customer_asked")
    assert ledger.record.holder == "queued"
    assert writer.asked == []


async def test_the_search_is_prepared_for_what_was_said_so_far() -> None:
    facts = FakeFacts(RETURNS)
    turn, _ = house(situation(), FakeWriter(), facts=facts)
    await turn.ahead(["Здравствуйте", "как вернуть товар?"])
    assert facts.expected == ["Здравствуйте\nкак вернуть товар?"]
    assert facts.searched == []


async def test_a_search_knows_what_the_customer_said_before_and_not_what_the_house_said() -> None:
    said = [("customer", "расскажите про лампы"), ("ai", "Ламп много."), ("customer", "какие светят теплее?")]
    told = tuple(
        Message(seq=n, author=author, text=text, at=CLOCK.now()) for n, (author, text) in enumerate(said)
    )
    facts = FakeFacts(RETURNS)
    turn, _ = house(
        situation("за сколько дней можно вернуть товар?", history=told), FakeWriter(GROUNDED), facts=facts
    )
    await turn.run(TurnId("t1"), steps=InlineSteps())
    assert [(query.text, tuple(query.context)) for query in facts.searched] == [
        ("за сколько дней можно вернуть товар?", ("расскажите про лампы", "какие светят теплее?"))
    ]


async def test_at_night_the_customer_hears_when_people_are_back() -> None:
    late = situation("позовите человека")
    night = replace(late.batch[0], at=CLOCK.now() + timedelta(hours=10))
    ledger, _ = await decide(replace(late, batch=(night,)))
    assert "завтра в 09:00" in ledger.record.replies[0].text
    assert ledger.record.replies[0].buttons[0].action.kind == "ai"


async def test_who_asks_again_while_waiting_is_told_where_the_question_is() -> None:
    base = situation("ну где же оператор, позовите человека")
    waiting = replace(base, conversation=replace(base.conversation, holder="queued", department="delivery"))
    ledger, _ = await decide(waiting)
    assert ledger.record.outcome == Held()
    assert "в отдел доставки" in ledger.record.replies[0].text


async def test_the_button_for_a_person_works_like_the_words() -> None:
    ledger, writer = await decide(situation(action=Action(kind="person")))
    assert ledger.record.outcome == Escalated(reason="customer_asked")
    assert writer.asked == []


async def test_a_quick_reply_is_read_as_the_words_it_sends() -> None:
    ledger, writer = await decide(situation(action=Action(kind="say", target="Позвать человека")))
    assert ledger.record.outcome == Escalated(reason="customer_asked")
    assert writer.asked == []


async def test_a_rating_changes_nothing_about_who_holds_the_conversation() -> None:
    base = situation(action=Action(kind="rate", target="t0"))
    ledger, _ = await decide(replace(base, conversation=replace(base.conversation, holder="closed")))
    assert ledger.record.holder == "closed"
    assert ledger.record.replies[0].text == PHRASES.say("talk.rated", "ru")


async def test_a_grounded_answer_is_sent_with_its_citation() -> None:
    ledger, _ = await decide(situation("за сколько дней можно вернуть товар?"), GROUNDED)
    assert ledger.record.outcome == Answered()
    assert [s.text for s in ledger.appended] == ["Вернуть товар можно за 14 дней после получения."]
    assert ledger.record.replies[0].citations[0].passage == "returns#1"


async def test_a_calibration_that_is_exchanged_is_the_one_that_decides() -> None:
    turn, ledger = house(situation("за сколько дней можно вернуть товар?"), FakeWriter(GROUNDED))
    turn.calibration = replace(turn.calibration, by_hand=1.1)
    await turn.run(TurnId("t1"), steps=InlineSteps())
    assert ledger.record.outcome == Escalated(reason="not_sure")
    assert ledger.appended == []


async def test_the_stages_of_an_answered_turn_are_all_of_its_time() -> None:
    ledger, _ = await decide(situation("за сколько дней можно вернуть товар?"), GROUNDED)
    ms = ledger.record.ms
    assert {"situation", "decide", "retrieval", "check", "send", "total"} <= set(ms)
    assert ms["total"] == pytest.approx(sum(value for name, value in ms.items() if name in STAGES))


async def test_a_wrong_number_never_leaves_and_a_person_is_called() -> None:
    wrong = Draft(kind="answer", sentences=(Sentence(text="Вернуть можно за 30 дней.", refs=("returns#1",)),))
    ledger, _ = await decide(situation("за сколько дней можно вернуть товар?"), wrong)
    assert ledger.record.outcome == Escalated(reason="ungrounded")
    assert ledger.appended == []
    assert ledger.record.ticket is not None
    assert "30 дней" in ledger.record.ticket.rejected
    assert "30" not in ledger.record.replies[0].text


async def test_an_invented_reference_is_no_evidence() -> None:
    invented = Draft(kind="answer", sentences=(Sentence(text="Доставка бесплатна.", refs=("gifts#7",)),))
    ledger, _ = await decide(situation("доставка бесплатная?"), invented)
    assert isinstance(ledger.record.outcome, Escalated)
    assert ledger.appended == []


async def test_a_passage_retired_after_it_was_found_is_not_cited() -> None:
    facts = FakeFacts(RETURNS)

    class Retiring(FakeWriter):
        async def write(self, brief, *, steps, status):  # type: ignore[no-untyped-def]
            facts.retire("returns#1")
            return GROUNDED

    turn, ledger = house(situation("за сколько дней вернуть?"), Retiring(), facts=facts)
    await turn.run(TurnId("t1"), steps=InlineSteps())
    assert ledger.appended == []
    assert isinstance(ledger.record.outcome, Escalated)


async def test_what_is_not_our_business_is_declined_without_a_ticket() -> None:
    ledger, _ = await decide(
        situation("какая погода в Париже?"), Draft(kind="decline"), facts=FakeFacts(RETURNS, confidence=0.02)
    )
    assert ledger.record.outcome == Declined()
    assert ledger.record.ticket is None
    assert ledger.record.replies[0].buttons[0].action.kind == "person"


async def test_nothing_found_inside_the_business_goes_to_a_person() -> None:
    ledger, _ = await decide(
        situation("можно ли вернуть подарок без чека?"),
        Draft(kind="answer"),
        facts=FakeFacts(RETURNS, confidence=0.4),
    )
    assert ledger.record.outcome == Escalated(reason="not_sure")


async def test_a_dead_model_never_becomes_silence() -> None:
    ledger, _ = await decide(situation("за сколько дней вернуть?"))
    assert ledger.record.outcome == Escalated(reason="model_failed")
    assert ledger.record.replies[0].text


async def test_a_missing_consent_is_asked_and_the_question_kept() -> None:
    ledger, _ = await decide(situation("где мой заказ?"), Draft(kind="need", need="orders:read"))
    assert ledger.record.outcome == Waiting(what="consent", target="orders:read")
    assert ledger.record.question == "где мой заказ?"
    assert ledger.record.replies[0].text == PACK.purposes["orders:read"].text["ru"]
    assert [b.action.yes for b in ledger.record.replies[0].buttons] == [True, False]


@pytest.mark.parametrize(
    "answer",
    [{"text": "да, разрешаю"}, {"action": Action(kind="consent", target="orders:read", yes=True)}],
    ids=["in words", "by button"],
)
async def test_consent_is_written_before_the_waiting_question_is_taken_up(answer: dict[str, object]) -> None:
    at = situation(**answer, question="где мой заказ?", awaiting="orders:read", history=(card(),))  # type: ignore[arg-type]
    ledger, writer = await decide(at, GROUNDED)
    assert [(c.purpose, c.granted) for c in ledger.consents] == [("orders:read", True)]
    assert ledger.consents[0].text == PACK.purposes["orders:read"].text["ru"]
    assert writer.asked[0].question == "где мой заказ?"
    assert "orders:read" in writer.asked[0].caller.purposes


async def test_refused_consent_is_kept_and_no_tool_runs() -> None:
    at = situation("нет", question="где мой заказ?", awaiting="orders:read")
    ledger, writer = await decide(at)
    assert [(c.purpose, c.granted) for c in ledger.consents] == [("orders:read", False)]
    assert writer.asked == []
    assert isinstance(ledger.record.outcome, Answered)


async def test_without_consent_the_caller_has_no_purpose() -> None:
    _, writer = await decide(situation("как вернуть товар?"), GROUNDED)
    assert writer.asked[0].caller.purposes == frozenset()


async def test_a_proposal_waits_for_exactly_its_own_yes() -> None:
    offered = proposal(CLOCK.now())
    draft = Draft(kind="answer", proposal=offered.to_dict())
    ledger, _ = await decide(situation("отмените заказ 1051"), draft)
    assert ledger.record.outcome == Waiting(what="confirmation", target=offered.id)
    assert {b.action.target for b in ledger.record.replies[0].buttons} == {offered.id}


async def test_a_confirmed_write_happens_once_however_often_the_turn_is_replayed() -> None:
    actions, offered = FakeActions(), proposal(CLOCK.now())
    at = situation(action=Action(kind="confirm", target=offered.id), proposal=offered.to_dict())
    turn, ledger = house(at, FakeWriter(), actions=actions)
    steps = InlineSteps()
    for _ in range(3):
        await turn.run(TurnId("t1"), steps=steps)
    assert actions.executed == [offered.id]
    assert ledger.record.closed_proposal == (offered.id, "done")


@pytest.mark.parametrize("yes", [True, False])
async def test_a_button_of_another_proposal_changes_nothing(yes: bool) -> None:
    actions, offered = FakeActions(), proposal(CLOCK.now())
    at = situation(action=Action(kind="confirm", target="p-old", yes=yes), proposal=offered.to_dict())
    ledger, _ = await decide(at, actions=actions)
    assert actions.executed == []
    assert ledger.record.replies[0].text == PHRASES.say("confirm.none", "ru")


async def test_an_expired_confirmation_does_nothing() -> None:
    actions = FakeActions()
    offered = proposal(CLOCK.now() - timedelta(hours=1))
    at = situation("да", proposal=offered.to_dict())
    ledger, _ = await decide(at, actions=actions)
    assert actions.executed == []
    assert ledger.record.replies[0].text == PHRASES.say("confirm.expired", "ru")


async def test_an_unknown_effect_goes_to_a_person_and_is_not_repeated() -> None:
    actions, offered = FakeActions(state="unknown"), proposal(CLOCK.now())
    ledger, _ = await decide(situation("да", proposal=offered.to_dict()), actions=actions)
    assert ledger.record.outcome == Escalated(reason="effect_unknown")
    assert ledger.record.closed_proposal == (offered.id, "unknown")


async def test_a_no_leaves_everything_as_it_is() -> None:
    actions, offered = FakeActions(), proposal(CLOCK.now())
    ledger, _ = await decide(situation("нет", proposal=offered.to_dict()), actions=actions)
    assert actions.executed == []
    assert ledger.record.closed_proposal == (offered.id, "refused")


async def test_the_ai_is_silent_while_a_person_holds_the_conversation() -> None:
    base = situation("а ещё вопрос")
    at = replace(base, conversation=replace(base.conversation, holder="person"))
    ledger, writer = await decide(at, GROUNDED)
    assert ledger.record.outcome == Held()
    assert ledger.record.replies == ()
    assert writer.asked == []


async def test_a_person_who_claims_mid_answer_stops_the_ai() -> None:
    turn, ledger = house(situation("за сколько дней вернуть?"), FakeWriter(GROUNDED))
    ledger.taken = True
    await turn.run(TurnId("t1"), steps=InlineSteps())
    assert ledger.record.outcome == Held()
    assert ledger.appended == []


async def test_the_disclosure_comes_first_and_again_after_a_person() -> None:
    base = situation("привет")
    new = replace(base, conversation=replace(base.conversation, disclosed=False))
    first, _ = await decide(new)
    assert first.record.replies[0].text == PHRASES.say("disclosure.first", "ru", company="Фонарь")
    spoke = Message(seq=1, author="person", text="Отвечаю.", at=CLOCK.now())
    again, _ = await decide(replace(new, history=(spoke,)))
    assert again.record.replies[0].text == PHRASES.say("disclosure.again", "ru", company="Фонарь")


@pytest.mark.parametrize(("text", "named"), [("ты робот?", "machine"), ("are you a human?", "human")])
async def test_are_you_a_robot_gets_an_honest_answer_without_a_model(text: str, named: str) -> None:
    ledger, writer = await decide(situation(text))
    language = ledger.record.language
    assert ledger.record.replies[0].text == PHRASES.say(f"disclosure.alone.{named}", language)
    assert writer.asked == []


async def test_one_question_back_but_not_twice() -> None:
    orders = ToolUse(
        name="list_orders", arguments={}, ok=True, result={"facts": {"active": ["1045-А", "1051"]}}
    )
    back = Draft(kind="clarify", options=("1045-А", "1051"), tools=(orders,))
    ledger, _ = await decide(situation("где заказ?"), back)
    assert ledger.record.outcome == Clarify()
    assert ledger.record.replies[0].text == "Уточните, пожалуйста: 1045-А или 1051?"
    twice, _ = await decide(situation("не знаю", clarified=True, question="где заказ?"), back)
    assert not isinstance(twice.record.outcome, Clarify)


async def test_the_answer_to_a_question_back_is_read_with_its_question() -> None:
    _, writer = await decide(situation("1051", clarified=True, question="где заказ?"), GROUNDED)
    assert writer.asked[0].question == "где заказ?\n1051"


async def test_a_crash_after_the_first_sentence_goes_on_after_it() -> None:
    two = replace(
        GROUNDED,
        sentences=(
            *GROUNDED.sentences,
            Sentence(text="Лампочки из открытой упаковки не принимаем.", refs=("returns#1",)),
        ),
    )
    turn, ledger = house(situation("за сколько дней вернуть?"), FakeWriter(two, two))
    ledger.die_after = 1
    steps = InlineSteps()
    with pytest.raises(ConnectionError):
        await turn.run(TurnId("t1"), steps=steps)
    ledger.die_after = None
    await turn.run(TurnId("t1"), steps=steps)
    assert [s.text for s in ledger.appended] == [s.text for s in two.sentences]
    assert ledger.record.replies[0].text.count("14 дней") == 1


async def test_the_receipt_names_the_data_and_its_purpose() -> None:
    use = ToolUse(
        name="order_status", arguments={}, ok=True, result={"sentences": ["Заказ 1051 оплачен."], "ok": True}
    )
    draft = Draft(
        kind="answer",
        tools=(use,),
        sentences=(Sentence(text="Заказ 1051 оплачен.", refs=("tool:order_status:1",)),),
    )
    ledger, _ = await decide(situation("где заказ 1051?", purposes=frozenset({"orders:read"})), draft)
    assert isinstance(ledger.record.outcome, Answered)
    assert [(d.what, d.purpose) for d in ledger.record.data_used] == [("orders", "orders:read")]


async def test_the_receipt_tells_what_a_model_outside_has_read() -> None:
    for outside, what in (("masked", "question_masked"), ("plain", "question")):
        ledger, _ = await decide(
            situation("за сколько дней вернуть?"),
            replace(
                GROUNDED, reads=(ModelRead(model="openai:far", external=True, masked=outside == "masked"),)
            ),
        )
        assert [(d.what, d.purpose) for d in ledger.record.data_used] == [(what, "model:external")]
    ledger, _ = await decide(situation("за сколько дней вернуть?"), GROUNDED)
    assert ledger.record.data_used == ()


UNSURE = Draft(kind="answer", withheld=("model:external",), model="extractive")


async def test_a_better_model_is_asked_for_once_and_only_where_the_house_could_not_answer() -> None:
    asked, _ = await decide(situation("Чем промыть хрусталь?"), UNSURE)
    assert asked.record.outcome == Waiting(what="consent", target="model:external")
    assert asked.record.question == "Чем промыть хрусталь?"
    assert "внешней языковой модели" in asked.record.replies[-1].text
    answered, _ = await decide(
        situation("Сколько дней на возврат?"), replace(GROUNDED, withheld=UNSURE.withheld)
    )
    assert answered.record.outcome == Answered()
    assert "model:external" in answered.record.reasons
    again, _ = await decide(situation("А латунь?", asked=frozenset({"model:external"})), UNSURE)
    assert again.record.outcome == Escalated(reason="not_sure")
    refused, _ = await decide(situation("А латунь?", refused=frozenset({"model:external"})), UNSURE)
    assert refused.record.outcome == Escalated(reason="not_sure")


async def test_a_broken_tool_is_no_reason_to_ask_for_another_model() -> None:
    broken = ToolUse(name="order_status", arguments={}, ok=False, result={}, fault="unavailable")
    ledger, _ = await decide(situation("Где заказ?"), replace(UNSURE, tools=(broken,)))
    assert ledger.record.outcome == Escalated(reason="tool_failed")


async def test_who_refuses_the_other_model_still_gets_the_question_taken_up() -> None:
    waiting = situation(
        action=Action(kind="consent", target="model:external", yes=False),
        awaiting="model:external",
        question="Чем промыть хрусталь?",
        asked=frozenset({"model:external"}),
    )
    ledger, writer = await decide(waiting, UNSURE)
    assert [(c.purpose, c.granted) for c in ledger.consents] == [("model:external", False)]
    assert writer.asked[0].question == "Чем промыть хрусталь?"
    assert ledger.record.outcome == Escalated(reason="not_sure")


async def test_who_allows_the_other_model_has_the_question_asked_again_with_it() -> None:
    waiting = situation(
        "да",
        awaiting="model:external",
        question="Чем промыть хрусталь?",
        history=(card("model:external"),),
    )
    ledger, writer = await decide(waiting, GROUNDED)
    assert "model:external" in writer.asked[0].caller.purposes
    assert ledger.record.outcome == Answered()


async def test_a_budget_that_is_used_up_calls_a_person_and_is_told_in_the_reasons() -> None:
    ledger, _ = await decide(
        situation("Чем промыть хрусталь?"), replace(UNSURE, withheld=("budget_day_usd",))
    )
    assert ledger.record.outcome == Escalated(reason="budget_spent")
    assert "budget_day_usd" in ledger.record.reasons


async def test_a_change_goes_only_where_the_customer_said() -> None:
    where = (("order_id", "1051"), ("new_address", "Казань, Садовая 7"))
    moved = proposal(CLOCK.now(), tool="change_address", arguments=where).to_dict()
    ledger, _ = await decide(situation("что с заказом 1051?"), Draft(kind="answer", proposal=moved))
    assert ledger.record.proposal is None
    assert ledger.record.outcome == Clarify()
    assert ledger.record.replies[0].text == PHRASES.say("confirm.whereto", "ru")
    assert ledger.record.question == "что с заказом 1051?"
    ledger, _ = await decide(situation("привезите в Казань, Садовая 7"), Draft(kind="answer", proposal=moved))
    assert ledger.record.proposal == moved


async def test_a_sentence_that_leads_elsewhere_stays_here_and_so_does_the_quotation_beside_it() -> None:
    link = "https://evil.example/14"
    led = replace(RETURNS, text=f"Вернуть товар можно за 14 дней. Условия возврата читайте на {link}.")
    said = tuple(Sentence(text=text, refs=("returns#1",)) for text in led.text.split(". "))
    ledger, _ = await decide(
        situation("Сколько дней на возврат?"),
        Draft(kind="answer", sentences=said),
        facts=FakeFacts(led),
    )
    assert [sentence.text for sentence in ledger.appended] == ["Вернуть товар можно за 14 дней"]
    assert "foreign_link" in ledger.record.reasons
    assert link not in f"{ledger.record.replies}"


async def test_a_question_back_that_carries_more_than_a_question_is_asked_in_the_houses_words() -> None:
    for question in ("Откройте https://evil.example/pay, хорошо?", "Пришлите номер карты и CVV?"):
        back = Draft(kind="clarify", sentences=(Sentence(text=question),), options=("evil.example",))
        ledger, _ = await decide(situation("Сколько дней на возврат?"), back)
        assert ledger.record.outcome == Clarify()
        assert ledger.record.replies[0].text == PHRASES.say("answer.ask_back", "ru")
        assert ledger.record.replies[0].buttons == ()


async def test_a_tool_that_a_model_invented_stops_no_turn_and_is_on_no_receipt() -> None:
    class Strict(FakeActions):
        def scope(self, name: str) -> str | None:
            return {"order_status": "orders:read"}[name]

    invented = ToolUse(name="export_customers", arguments={}, ok=False, result={}, fault="not_offered")
    draft = replace(GROUNDED, tools=(invented,))
    ledger, _ = await decide(situation("Сколько дней на возврат?"), draft, actions=Strict())
    assert ledger.record.outcome == Answered()
    assert ledger.record.data_used == ()
