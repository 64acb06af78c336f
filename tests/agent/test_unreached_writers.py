"""Partial answers with the writers the house runs: the provider-free one, and models that are honest, silent or inventive."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel

from agent.confidence import calibration_of
from agent.domain import Answered, Escalated, TurnRecord
from agent.extractive import Extractive
from agent.fake import FakeFacts, FakeGate, FakeNotices, InlineSteps
from agent.link import Link
from agent.loop import Loop
from agent.models import ModelChain
from agent.records.purse import FakePurse
from agent.turn import Turn
from tests.agent.desk import Ledger
from tests.agent.test_turn import PACK, PHRASES, RETURNS, situation
from tests.scripted import ScriptedModel, calls, says
from tests.tools.loaded import NOW
from tests.tools.shop import SHOP, toolbox
from tools.context import CustomerId, OrderId, TurnId
from tools.crm.fake import FakeCRM
from tools.errors import Unavailable
from tools.orders.fake import FakeOrders
from tools.orders.port import Order

ANNA = CustomerId("c-001")


class Patchy(FakeOrders):
    """The demo's orders; reads of `lost` get no answer, the first `times` times."""

    def __init__(self, *lost: str, times: int = 99) -> None:
        super().__init__(SHOP.orders, SHOP.products, terms=SHOP.terms, now=lambda: NOW)
        self.lost, self.times = lost, times

    async def get(self, order_id: OrderId, *, owner: CustomerId) -> Order:
        if order_id in self.lost and self.times:
            self.times -= 1
            raise Unavailable("shop answered 503")
        return await super().get(order_id, owner=owner)


async def told(
    question: str, model: BaseChatModel, orders: FakeOrders, *, crm: FakeCRM | None = None, lang: str = "ru"
) -> TurnRecord:
    at = situation(
        question,
        purposes=frozenset({"orders:read", "orders:write", "profile:read"}),
    )
    at = _as_anna(at, lang)
    box, ledger = toolbox(orders, crm), Ledger(at)
    chain = ModelChain([Link(name="model", model=model, timeout=5.0, local=True, price=(0.0, 0.0))])
    turn = Turn(
        records=ledger,
        facts=FakeFacts(RETURNS),
        writer=Loop(chain, toolbox=box, pack=PACK, purse=FakePurse(), gate=FakeGate()),
        actions=box,
        phrases=PHRASES,
        pack=PACK,
        notices=FakeNotices(),
        calibration=calibration_of(PACK.folder, by_hand=PACK.thresholds.answer),
        similarity=lambda text, others: [0.9 for _ in others],
    )
    return await turn.run(TurnId("t1"), steps=InlineSteps())


def _as_anna(at: Any, language: str) -> Any:
    batch = tuple(replace(one, at=NOW + timedelta(minutes=1)) for one in at.batch)
    talk = replace(at.conversation, customer_id=ANNA, language=language, created=NOW)
    return replace(at, batch=batch, conversation=talk)


BOTH = (("order_status", {"order_id": "1051"}), ("order_status", {"order_id": "1045-А"}))
OPEN = "Сейчас не получается узнать состояние заказа 1045-А: система не отвечает. Гадать не буду."


def text_of(record: TurnRecord) -> str:
    return " ".join(reply.text for reply in record.replies)


async def test_the_provider_free_writer_says_one_order_and_names_the_other() -> None:
    record = await told("Где заказы 1051 и 1045-А?", Extractive(), Patchy("1045-А"))
    assert record.outcome == Escalated(reason="tool_failed", partial=True)
    assert record.replies[0].text.startswith("Заказ 1051 оплачен")
    assert OPEN in record.replies[1].text


@pytest.mark.parametrize(
    "answer",
    [
        "{fact} [tool:order_status:1]",
        "{fact} [tool:order_status:1] Заказ 1045-А в пути. [tool:order_status:2]",
        "{fact} [tool:order_status:1] Заказ 1045-А доставлен. [tool:order_status:1]",
        "{fact} [tool:order_status:1] Система магазина сейчас не отвечает. [tool:order_status:2]",
        '{{"sentences": [{{"text": "{fact}", "refs": ["tool:order_status:1"]}}]}}',
    ],
)
async def test_a_model_that_is_silent_or_inventive_about_a_failed_read_changes_nothing(answer: str) -> None:
    fact = (await told("Где заказ 1051?", Extractive(), Patchy())).replies[0].text.split(". ")[0] + "."
    model = ScriptedModel(steps=[calls(*BOTH), says(answer.format(fact=fact.rstrip(".") + "."))])
    record = await told("Где заказы 1051 и 1045-А?", model, Patchy("1045-А"))
    model.finished()
    assert record.outcome == Escalated(reason="tool_failed", partial=True)
    assert record.replies[0].text == fact
    assert record.replies[1].text.startswith(OPEN)
    assert "в пути" not in text_of(record)
    assert "доставлен" not in text_of(record)


async def test_a_model_that_declines_or_hands_over_after_a_failed_read_does_not_hide_it() -> None:
    for control, arguments in (("decline", {"reason": "x"}), ("hand_over", {"reason": "x"})):
        model = ScriptedModel(steps=[calls(BOTH[1]), calls((control, arguments))])
        record = await told("Где заказ 1045-А?", model, Patchy("1045-А"))
        assert record.outcome == Escalated(reason="tool_failed")
        assert text_of(record).startswith(OPEN)


async def test_a_model_that_reads_again_and_gets_it_answers_as_ever() -> None:
    fact = "Заказ 1051 оплачен, собираем его на складе"
    model = ScriptedModel(
        steps=[
            calls(BOTH[0]),
            calls(("order_status", {"order_id": "№1051"})),
            lambda messages: says(f"{_first(messages[-1])} [tool:order_status:2]"),
        ]
    )
    record = await told("Где заказ 1051?", model, Patchy("1051", times=1))
    assert record.outcome == Answered()
    assert record.replies[0].text.startswith(fact)


def _first(message: Any) -> str:
    said: str = json.loads(message.content)["sentences"][0]
    return said


async def test_one_system_down_does_not_silence_the_other() -> None:
    crm = FakeCRM(SHOP.customers)
    crm.fail_with = Unavailable("no route to register")
    record = await told("Где заказ 1051? Покажите мой профиль.", Extractive(), Patchy(), crm=crm)
    assert record.outcome == Escalated(reason="tool_failed", partial=True)
    assert record.replies[0].text.startswith("Заказ 1051 оплачен")
    assert "посмотреть ваш профиль" in record.replies[1].text
    assert [use.purpose for use in record.data_used] == ["orders:read"]


async def test_in_english_too() -> None:
    record = await told("Where are orders 1051 and 1045-A?", Extractive(), Patchy("1045-А"), lang="en")
    assert record.language == "en"
    assert "Right now I can't see how order 1045-А stands: the system isn't answering." in text_of(record)


async def test_a_change_that_meets_a_silent_system_says_that_nothing_changed() -> None:
    record = await told("Отмените заказ 1051", Extractive(), Patchy("1051"))
    assert record.outcome == Escalated(reason="tool_failed")
    assert text_of(record).startswith(
        "Сейчас не получается отменить заказ 1051: система не отвечает. Гадать не буду. Ничего не изменилось."
    )
