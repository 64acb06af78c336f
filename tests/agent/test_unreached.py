"""A system that does not answer: what is known is said, what is not is named, a person is called, nothing is invented."""

from collections.abc import Sequence
from typing import Any

import pytest

from agent.domain import Answered, Clarify, Draft, Escalated, Sentence, ToolUse, Verified, Waiting
from agent.fake import FakeWriter, InlineSteps
from agent.unreached import silent, told, unreached, without_faults
from tests.agent.desk import FakeActions, proposal
from tests.agent.test_turn import CLOCK, GROUNDED, PHRASES, decide, house, situation
from tools.context import Language, TurnId


def down(name: str, fault: str = "unavailable", **arguments: str) -> ToolUse:
    said = {"ok": False, "sentences": ["Система магазина сейчас не отвечает."], "fault": fault}
    return ToolUse(name=name, arguments=arguments, ok=False, result=said, fault=fault)


def order(number: str, *sentences: str, unreached: Sequence[str] = ()) -> ToolUse:
    result: dict[str, Any] = {"ok": True, "sentences": list(sentences)}
    if unreached:
        result["unreached"] = list(unreached)
    return ToolUse(name="order_status", arguments={"order_id": number}, ok=True, result=result)


def said_of(*tools: ToolUse, text: Sequence[tuple[str, str]] = ()) -> Draft:
    return Draft(
        kind="answer",
        sentences=tuple(Sentence(text=each, refs=(ref,)) for each, ref in text),
        tools=tools,
    )


PAID = "Заказ 1051 оплачен, собираем его на складе."
ASKED = "Где заказы 1051 и 1045-А?"


async def test_what_is_known_is_said_and_what_is_not_is_named() -> None:
    draft = said_of(
        order("1051", PAID),
        down("order_status", order_id="1045-А"),
        text=[(PAID, "tool:order_status:1")],
    )
    ledger, _ = await decide(situation(ASKED), draft)
    known, rest = ledger.record.replies
    assert ledger.record.outcome == Escalated(reason="tool_failed", partial=True)
    assert known.text == PAID
    assert rest.text.startswith(
        "Сейчас не получается order_status 1045-А: система не отвечает. Гадать не буду. Передаю разговор"
    )
    assert ledger.record.ticket is not None
    assert [one.text for one in ledger.appended] == [PAID]


@pytest.mark.parametrize(
    "text",
    [
        [(PAID, "tool:order_status:1"), ("Заказ 1045-А тоже оплачен и собран.", "tool:order_status:2")],
        [(PAID, "tool:order_status:1"), ("Система магазина сейчас не отвечает.", "tool:order_status:2")],
        [("Система магазина сейчас не отвечает.", "returns#1"), (PAID, "tool:order_status:1")],
        [(PAID, "tool:order_status:1")],
    ],
)
async def test_whatever_a_model_makes_of_a_failed_read_the_customer_is_told_the_same(
    text: Sequence[tuple[str, str]],
) -> None:
    draft = said_of(order("1051", PAID), down("order_status", order_id="1045-А"), text=text)
    ledger, _ = await decide(situation(ASKED), draft)
    said = " ".join(reply.text for reply in ledger.record.replies)
    assert said.count("не отвечает") == 1
    assert "собран" not in said.replace("собираем", "")
    assert "1045-А" in said
    assert ledger.record.outcome == Escalated(reason="tool_failed", partial=True)


async def test_documents_answer_their_part_while_the_system_is_down() -> None:
    draft = Draft(kind="answer", sentences=GROUNDED.sentences, tools=(down("order_status", order_id="1051"),))
    ledger, _ = await decide(situation("Сколько дней на возврат, и где заказ 1051?"), draft)
    known, rest = ledger.record.replies
    assert known.text == GROUNDED.sentences[0].text
    assert [c.passage for c in known.citations] == ["returns#1"]
    assert "order_status 1051" in rest.text
    assert ledger.record.outcome == Escalated(reason="tool_failed", partial=True)


@pytest.mark.parametrize("kind", ["answer", "decline"])
async def test_where_nothing_answered_nothing_but_that_is_said(kind: Any) -> None:
    draft = Draft(kind=kind, tools=(down("list_orders"), down("my_profile", "declined")))
    ledger, _ = await decide(situation("Мои заказы и баллы?"), draft)
    (only,) = ledger.record.replies
    assert only.text.startswith("Сейчас не получается list_orders и my_profile: система не отвечает.")
    assert ledger.record.outcome == Escalated(reason="tool_failed")
    assert ledger.record.data_used == ()


async def test_a_part_of_an_order_that_is_not_known_now_is_named_though_the_read_went_well() -> None:
    draft = said_of(
        order("1051", PAID, unreached=["узнать, что с доставкой заказа 1051"]),
        text=[(PAID, "tool:order_status:1")],
    )
    ledger, _ = await decide(situation("Где заказ 1051?"), draft)
    known, rest = ledger.record.replies
    assert known.text == PAID
    assert "узнать, что с доставкой заказа 1051" in rest.text
    assert ledger.record.outcome == Escalated(reason="tool_failed", partial=True)


async def test_a_call_that_was_answered_when_it_was_made_again_leaves_nothing_open() -> None:
    draft = said_of(
        down("order_status", order_id="1051"), order("1051", PAID), text=[(PAID, "tool:order_status:2")]
    )
    ledger, _ = await decide(situation("Где заказ 1051?"), draft)
    assert ledger.record.outcome == Answered()
    assert [reply.text for reply in ledger.record.replies] == [PAID]


async def test_an_answer_such_as_no_such_order_is_not_taken_for_silence() -> None:
    missing = down("order_status", "not_found", order_id="9")
    ledger, _ = await decide(
        situation("Где заказ 9?"),
        said_of(missing, text=[("Система магазина сейчас не отвечает.", "tool:order_status:1")]),
    )
    assert ledger.record.outcome == Answered()


async def test_a_change_that_could_not_be_prepared_is_said_not_to_have_happened() -> None:
    ledger, _ = await decide(situation("Отмените заказ 1051"), said_of(down("cancel_order", order_id="1051")))
    (only,) = ledger.record.replies
    assert "cancel_order 1051" in only.text
    assert "Ничего не изменилось." in only.text


async def test_a_question_to_the_customer_comes_after_what_could_not_be_reached() -> None:
    wanted = proposal(CLOCK.now()).to_dict()
    for draft, outcome, asks in (
        (Draft(kind="answer", proposal=wanted, tools=(down("my_profile"),)), Waiting, "confirm 1051"),
        (Draft(kind="clarify", tools=(down("my_profile"),)), Clarify, "Уточните"),
    ):
        ledger, _ = await decide(situation("Отмените заказ, и сколько у меня баллов?"), draft)
        named, asked = ledger.record.replies
        assert isinstance(ledger.record.outcome, outcome)
        assert "my_profile" in named.text
        assert named.buttons == ()
        assert asked.text.startswith(asks)


async def test_after_a_crash_the_known_sentences_are_not_said_twice() -> None:
    draft = said_of(
        order("1051", PAID), down("order_status", order_id="1045-А"), text=[(PAID, "tool:order_status:1")]
    )
    turn, ledger = house(situation(ASKED), FakeWriter(draft))
    ledger.appended.append(Verified(text=PAID))
    await turn.run(TurnId("t1"), steps=InlineSteps())
    assert [one.text for one in ledger.appended] == [PAID]
    assert ledger.record.replies[0].text == PAID
    assert ledger.record.outcome == Escalated(reason="tool_failed", partial=True)


async def test_a_person_who_took_over_meanwhile_is_not_talked_over() -> None:
    draft = said_of(
        order("1051", PAID), down("order_status", order_id="1045-А"), text=[(PAID, "tool:order_status:1")]
    )
    turn, ledger = house(situation(ASKED), FakeWriter(draft))
    ledger.taken = True
    await turn.run(TurnId("t1"), steps=InlineSteps())
    assert ledger.record.holder == "person"
    assert ledger.record.replies == ()


def test_several_things_are_named_once_each_and_unnamed_ones_together() -> None:
    class Wordless(FakeActions):
        def unreached(self, name: str, arguments: Any, language: Language) -> str:
            return ""

    tools = (down("a"), down("b"), down("b"))
    missed = unreached(tools, actions=Wordless(), language="ru")
    assert told(missed, phrases=PHRASES, language="ru").startswith(
        "Сейчас не получается посмотреть нужные данные: система"
    )
    assert told(unreached((), actions=Wordless(), language="ru"), phrases=PHRASES, language="ru") == ""


def test_only_sentences_about_failed_calls_are_left_out() -> None:
    draft = said_of(
        down("order_status", order_id="1"),
        order("2", PAID),
        text=[("Одно.", "tool:order_status:1"), (PAID, "tool:order_status:2"), ("Три.", "returns#1")],
    )
    assert [sentence.text for sentence in without_faults(draft).sentences] == [PAID, "Три."]
    assert [silent(use) for use in draft.tools] == [True, False]
