"""What a long conversation is remembered by."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.domain import Action, Answered, Button, Fact, Incoming, Message, Recall, Reply, TurnRecord
from agent.loop import history
from agent.pack import load_pack
from agent.ports import Brief
from agent.prompts import question_prompt
from agent.recall import MOST_FACTS, RECENT_TOKENS, SUMMARY_TOKENS, beyond, recent, remembered
from knowledge.text.tokens import count
from tests.agent.test_turn import situation
from tests.contracts.memory import Store, clock, opened, records, rung, turn_for
from tools.context import Caller, MessageId

__all__ = ["clock", "records", "rung"]

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PACK = load_pack(Path(__file__).resolve().parents[2] / "demo")


def said(text: str, *, action: Action | None = None) -> Incoming:
    return Incoming(id=MessageId("m"), seq=1, key="k", text=text, action=action, at=AT)


def facts(*texts: str) -> set[str]:
    recall = Recall()
    for text in texts:
        recall = remembered(recall, [said(text)], history=())
    return {f"{fact.kind} {fact.text}" for fact in recall.facts}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Где мой заказ 1045-А?", {"number 1045-А"}),
        ("товар FN-104 за 4290 руб.", {"number FN-104"}),
        ("Меня зовут Анна Каренина, заказ 1051", {"name Анна Каренина", "number 1051"}),
        ("my name is John and I paid $1200", {"name John"}),
        ("приду в 10:30, скидка 15%", set()),
        ("как вернуть лампу?", set()),
    ],
)
def test_numbers_and_names_the_customer_gave_are_kept(text: str, kept: set[str]) -> None:
    assert facts(text) == kept


def test_a_choice_is_kept_in_the_words_of_its_button_and_a_new_name_replaces_the_old() -> None:
    action = Action(kind="consent", target="orders:read")
    shown = Message(seq=1, author="ai", text="May I?", at=AT, buttons=(Button(label="Allow", action=action),))
    recall = remembered(Recall(), [said("", action=action)], history=[shown])
    assert recall.facts == (Fact(kind="choice", text="Allow"),)
    assert facts("меня зовут Анна", "меня зовут Ольга") == {"name Ольга"}


def test_what_is_kept_stays_within_its_budget_and_facts_outlive_talk() -> None:
    recall = Recall()
    for n in range(300):
        line = (
            f"Заказ {5000 + n}: почему так долго и что вообще происходит?"
            if n < 3
            else f"И ещё вопрос про лампу номер-{'я' * (n % 7 + 1)}"
        )
        recall = remembered(recall, [said(line)], history=())
    assert {fact.text for fact in recall.facts} == {"5000", "5001", "5002"}
    assert (
        sum(count(fact.text) for fact in recall.facts) + sum(count(line) for line in recall.said)
        <= SUMMARY_TOKENS
    )
    for n in range(50):
        recall = remembered(recall, [said(f"заказ {6000 + n}")], history=())
    assert len(recall.facts) == MOST_FACTS
    assert recall.facts[-1].text == "6049"


def test_the_last_messages_fit_the_budget_and_the_very_last_is_always_there() -> None:
    long = [Message(seq=n, author="customer", text="Очень длинный рассказ. " * 200, at=AT) for n in range(9)]
    kept = recent(long)
    assert kept[-1].seq == 8
    assert sum(count(m.text) for m in kept) <= RECENT_TOKENS + count(kept[0].text)
    assert beyond(Recall(said=("Очень длинный рассказ.", "Другое")), kept).said == ("Другое",)


@pytest.mark.heavy
async def test_the_two_hundredth_turn_costs_what_the_twentieth_does_and_knows_the_first_number(
    records: Store,
) -> None:
    id = await opened(records)
    tokens: dict[int, int] = {}
    for n in range(1, 201):
        text = (
            "Меня зовут Анна, где мой заказ 1045-А?"
            if n == 1
            else f"А лампа {'очень ' * (n % 5)}яркая, вопрос {n}?"
        )
        turn = await turn_for(records, id, text)
        now = await records.situation(turn)
        brief = Brief(
            question=text,
            language="ru",
            history=now.history,
            evidence=(),
            caller=Caller(
                conversation=id,
                turn=turn,
                language="ru",
                channel="widget",
                customer_id=None,
                assurance="anonymous",
                purposes=frozenset(),
                now=AT,
            ),
            recall=now.recall,
        )
        prompt = [*(m.text for m in history(brief.history)), question_prompt(brief)]
        tokens[n] = sum(count(str(part)) for part in prompt)
        reply = Reply(text=f"Ответ {n}: лампа яркая, световой поток указан на упаковке и в карточке товара.")
        kept = remembered(now.recall, now.batch, history=now.history)
        await records.commit(
            TurnRecord(
                turn=turn, conversation=id, outcome=Answered(), language="ru", replies=(reply,), recall=kept
            )
        )
    assert "1045-А" in str(prompt[-1])
    assert "Анна" in str(prompt[-1])
    assert tokens[200] <= 1.3 * tokens[20]


def test_a_turn_of_an_earlier_release_remembers_nothing() -> None:
    from agent.records.codec import recall_of

    assert recall_of(None) == recall_of({"outcome": {}}) == Recall()
    assert situation("x").recall == Recall()
