"""What a turn used is in its receipt: names of fields, versions, the row of the ledger, which model read what."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from agent.domain import Action, Answered, Draft, Escalated, Fact, Recall, Sentence, ToolUse
from agent.errors import WriterFailed
from agent.fake import FakeFacts, FakeWriter, InlineSteps
from agent.itemising import fields_of, receipt_of
from agent.ports import Brief
from agent.receipt import (
    Basis,
    DocumentUse,
    FieldUse,
    Granted,
    ModelRead,
    Receipt,
    Remembered,
    together,
)
from agent.receipt_words import Reciting
from agent.records.codec import record_json, record_of
from agent.trouble import in_trouble
from knowledge.types import Query, Retrieval
from tests.agent.desk import proposal
from tests.agent.test_turn import CLOCK, GROUNDED, PACK, PHRASES, RETURNS, decide, house, situation
from tools.context import TurnId

ORDER: Mapping[str, Any] = {
    "ok": True,
    "kind": "order",
    "sentences": ["Заказ 1051 оплачен."],
    "facts": {
        "order": "1051",
        "payment": {"state": "paid", "at": None},
        "items": [{"title": "Лампа"}],
        "eta": "",
    },
}
USE = ToolUse(name="order_status", arguments={"order_id": "1051"}, ok=True, result=ORDER)
ABOUT_ORDER = Draft(
    kind="answer",
    tools=(USE,),
    sentences=(Sentence(text="Заказ 1051 оплачен.", refs=("tool:order_status:1",)),),
)
ROW = Granted(
    id=7,
    purpose="orders:read",
    version="2026-11-01",
    sha256="ab" * 32,
    language="ru",
    channel="widget",
    at=CLOCK.now(),
)
FAR = ModelRead(model="openai:far", external=True, parts=("question",), answered=True)
HOUSE = ModelRead(model="extractive", external=False, parts=("question",), answered=True)


async def receipt_after(*drafts: Draft, text: str = "где заказ 1051?", **changes: Any) -> Receipt:
    ledger, _ = await decide(situation(text, **changes), *drafts)
    return receipt_of(ledger.record)


def told(receipt: Receipt, *, language: Any = "ru") -> str:
    sections = Reciting(receipt, phrases=PHRASES, language=language).told()
    return "\n".join(f"{line.text} {line.note}" for section in sections for line in section.lines)


async def test_an_answer_about_an_order_names_the_fields_that_were_read_and_never_a_value() -> None:
    receipt = await receipt_after(ABOUT_ORDER, purposes=frozenset({"orders:read"}), granted=(ROW,))
    assert receipt.data == (
        FieldUse(
            what="orders",
            fields=("order", "payment.state", "items.title"),
            purpose="orders:read",
            tool="order_status",
        ),
    )
    assert receipt.basis("orders:read").granted == ROW
    assert not [value for value in ("1051", "paid", "Лампа") if value in str(receipt.data) + told(receipt)]
    assert "номер заказа, состояние оплаты и названия товаров" in told(receipt)
    assert "Основание — ваше согласие от" in told(receipt)
    assert "редакция текста от 1 ноября 2026" in told(receipt).replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("facts", "names"),
    [
        ({"order": "1", "note": "", "eta": None, "items": []}, ("order",)),
        ({"anna@example.com": 1, "1051": {"state": "paid"}, "Анна Петрова": 2}, ("other",)),
        ({"a": {"b": {"c": 1}}}, ("a.b",)),
        ({"orders": [{"order": 1}, {"order": 2, "eta": 3}]}, ("orders.order", "orders.eta")),
        ({"can_change": False, "points": 0}, ("can_change", "points")),
        ("text", ()),
    ],
)
def test_fields_are_what_holds_something_and_a_key_that_may_be_a_value_is_not_named(
    facts: Any, names: tuple[str, ...]
) -> None:
    assert fields_of(facts) == names


async def test_documents_are_told_with_their_version_cited_ones_first() -> None:
    receipt = await receipt_after(GROUNDED, text="за сколько дней вернуть?")
    (document,) = receipt.documents
    assert (document.document, document.version, document.passage, document.cited) == (
        "returns",
        1,
        "returns#1",
        True,
    )
    unsure = await receipt_after(Draft(kind="answer"), text="за сколько дней вернуть?")
    assert [(use.passage, use.cited) for use in unsure.documents] == [("returns#1", False)]


async def test_a_greeting_used_nothing_and_says_so() -> None:
    receipt = await receipt_after(text="привет")
    assert receipt == Receipt(at=CLOCK.now())
    assert told(receipt).splitlines() == [
        "Документы компании не понадобились. ",
        "В системах компании я ваших данных не смотрел. ",
        "Языковая модель не участвовала, за пределы компании ничего не ушло. ",
        "Ничего нового не запомнено. ",
    ]


class FarFacts(FakeFacts):
    """An encoder of another company compares what was asked."""

    async def search(self, query: Query) -> Retrieval:
        return replace(await super().search(query), outside=("openai:embed-3",) if query.may_leave else ())


@pytest.mark.parametrize("allowed", [True, False])
async def test_an_encoder_outside_that_read_the_message_is_named_as_who_read_it(
    monkeypatch: pytest.MonkeyPatch, allowed: bool
) -> None:
    asked = situation("за сколько дней вернуть?")
    turn, ledger = house(asked, FakeWriter(GROUNDED), facts=FarFacts(RETURNS))

    async def allows(whose: object, purpose: str) -> bool:
        return allowed and purpose == "model:external"

    monkeypatch.setattr(turn.replying.gate, "allows", allows)
    await turn.run(TurnId("t1"), steps=InlineSteps())
    receipt = receipt_of(ledger.record)
    assert [read.model for read in receipt.models if read.encoder] == ["openai:embed-3"] * allowed
    words = told(receipt)
    assert ("Внешняя программа, которая ищет по смыслу (embed-3)." in words) is allowed
    assert ("Текст передан как есть." in words) is allowed
    assert ("за пределы компании ничего не ушло" in words.lower()) is not allowed
    assert "Её ответ не использован." not in words
    assert ("question" in {use.what for use in ledger.record.data_used}) is allowed


class DeadModels(FakeWriter):
    """Every model failed after one outside had read the message and a tool had run."""

    async def write(self, brief: Brief, **_: Any) -> Draft:
        failure = WriterFailed("far: timeout")
        failure.tools, failure.reads = (
            (USE,),
            (replace(FAR, answered=False, masked=True, kinds={"phone": 2}),),
        )
        raise failure


async def test_when_every_model_failed_the_receipt_tells_what_had_left_all_the_same() -> None:
    turn, ledger = house(situation("где заказ 1051?", purposes=frozenset({"orders:read"})), DeadModels())
    record = await turn.run(TurnId("t1"), steps=InlineSteps())
    assert isinstance(record.outcome, Escalated)
    assert [(use.what, use.purpose) for use in record.data_used] == [
        ("question_masked", "model:external"),
        ("orders", "orders:read"),
    ]
    words = told(receipt_of(ledger.record))
    assert "Внешняя языковая модель (far)" in words
    assert "2 телефона" in words.replace("\u00a0", " ")
    assert "Её ответ не использован." in words


async def test_a_draft_that_was_thrown_away_is_in_the_receipt_too() -> None:
    drafted = Draft(kind="decline", reads=(FAR,), tools=(USE,))
    receipt = await receipt_after(drafted)
    assert [read.model for read in receipt.models] == ["openai:far"]
    assert receipt.data


async def test_a_consent_given_in_this_very_turn_is_the_basis_it_rests_on() -> None:
    waiting = situation(
        action=Action(kind="consent", target="orders:read"),
        question="где заказ 1051?",
        awaiting="orders:read",
    )
    ledger, _ = await decide(waiting, ABOUT_ORDER)
    granted = receipt_of(ledger.record).basis("orders:read").granted
    assert granted is not None
    assert (granted.id, granted.version) == (1, PACK.purposes["orders:read"].version)


async def test_a_confirmed_change_is_told_as_a_change_of_named_fields() -> None:
    open_one = proposal(CLOCK.now())
    pressed = Action(kind="confirm", target=open_one.id)
    ledger, _ = await decide(situation(action=pressed, proposal=open_one.to_dict()))
    assert isinstance(ledger.record.outcome, Answered)
    assert receipt_of(ledger.record).data == (
        FieldUse(
            what="orders", fields=("order_id",), purpose="orders:write", tool="cancel_order", changed=True
        ),
    )
    assert "изменено по вашему подтверждению: номер заказа" in told(receipt_of(ledger.record))


def test_one_model_asked_twice_is_one_line_with_all_it_read() -> None:
    masked = replace(FAR, masked=True, kinds={"name": 1}, answered=False)
    again = replace(masked, parts=("question", "results"), kinds={"name": 2, "phone": 1}, answered=True)
    (line,) = together((masked, again))
    assert (line.parts, line.kinds, line.answered, line.masked) == (
        ("question", "results"),
        {"name": 2, "phone": 1},
        True,
        True,
    )
    assert not together((masked, replace(masked, masked=False)))[0].masked, (
        "what was read plain was read plain"
    )


async def test_what_a_message_adds_to_the_memory_of_the_talk_is_told_by_kind() -> None:
    receipt = await receipt_after(GROUNDED, text="меня зовут Анна, за сколько дней вернуть товар?")
    assert receipt.remembered == (Remembered(what="name"), Remembered(what="question"))
    assert "Анна" not in told(receipt)
    known = Recall(facts=(Fact(kind="name", text="Анна"),))
    assert (
        Remembered(what="name")
        not in (await receipt_after(GROUNDED, text="меня зовут Анна", recall=known)).remembered
    )


async def test_why_a_better_model_was_not_asked_is_told() -> None:
    receipt = await receipt_after(replace(GROUNDED, reads=(HOUSE,), withheld=("model:external",)))
    words = told(receipt)
    assert "вы этого не разрешали" in words
    assert "За пределы компании ничего не ушло." in words
    assert "which answers" not in words
    assert "haven't allowed that" in told(receipt, language="en")


async def test_a_turn_that_broke_says_that_its_receipt_is_not_whole() -> None:
    record = in_trouble(situation("где заказ?"), TurnId("t1"), pack=PACK, phrases=PHRASES)
    assert not receipt_of(record).whole
    assert Reciting(receipt_of(record), phrases=PHRASES, language="ru").warning()


async def test_a_record_of_an_earlier_release_still_tells_what_it_knows() -> None:
    ledger, _ = await decide(situation("где заказ 1051?", purposes=frozenset({"orders:read"})), ABOUT_ORDER)
    old = record_json(ledger.record)
    del old["receipt"]
    receipt = receipt_of(record_of(old))
    assert (receipt.whole, [use.what for use in receipt.data]) == (False, ["orders"])
    assert "Ваши заказы." in told(receipt)


async def test_a_receipt_survives_the_database() -> None:
    ledger, _ = await decide(
        situation("где заказ 1051?", purposes=frozenset({"orders:read"}), granted=(ROW,)),
        replace(ABOUT_ORDER, reads=(replace(FAR, masked=True, kinds={"name": 1}),)),
    )
    assert record_of(record_json(ledger.record)).receipt == ledger.record.receipt


def test_both_languages_have_words_for_everything_a_receipt_can_hold() -> None:
    everything = {key for key in PHRASES.keys("ru") if key.startswith("receipt.")}
    assert everything == {key for key in PHRASES.keys("en") if key.startswith("receipt.")}


def test_what_did_not_get_into_the_answer_comes_last_and_may_be_folded() -> None:
    uses = [
        DocumentUse(document=name, version=1, passage=f"{name}#1", title=name, cited=cited)
        for name, cited in (("courier", False), ("delivery", True), ("pickup", False))
    ]
    section = Reciting(Receipt(documents=tuple(uses)), phrases=PHRASES, language="en").told()[0]
    assert [line.passage for line in section.lines] == ["delivery#1", "courier#1", "pickup#1"]
    assert (section.aside, section.folded) == (2, "Read, but not part of the answer: 2")


def test_a_version_that_is_no_day_is_told_as_it_is() -> None:
    row = replace(ROW, version="v2")
    basis = Basis(purpose="orders:read", kind="consent", granted=row)
    used = FieldUse(what="orders", fields=("order",), purpose="orders:read")
    receipt = Receipt(data=(used,), bases=(basis,))
    told = Reciting(receipt, phrases=PHRASES, language="en").told()
    assert "text version v2." in told[1].lines[0].note
