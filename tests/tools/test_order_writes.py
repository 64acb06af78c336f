"""The tools that change orders: what customers' words mean, what is asked before a write and what is said after it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import tools
from tests.tools.shop import ANNA, BORIS, JOHN, PHRASES, SHOP, VERA, caller, fake_orders, toolbox
from tools.context import Caller, CustomerId, Language
from tools.orders.fake import FakeOrders
from tools.phrases import LANGUAGES, Phrases
from tools.proposal import Effect, Proposal
from tools.toolbox import Toolbox

BOX = toolbox()


async def asked(
    name: str, owner: CustomerId, *, box: Toolbox = BOX, language: Language = "ru", **arguments: Any
) -> dict[str, Any]:
    who: Caller = caller(owner, language=language)
    told: dict[str, Any] = json.loads(await box.call(name, arguments, who))
    return told


async def question(name: str, owner: CustomerId, language: Language = "ru", **arguments: Any) -> str:
    told = await asked(name, owner, language=language, **arguments)
    assert told["ok"], told
    return str(told["sentences"][0]).replace("\u00a0", " ")


class TestQuestions:
    async def test_a_return_names_the_goods_and_the_way_of_the_money(self) -> None:
        assert await question("return_items", BORIS, order_id="1081", items="лампу") == (
            "Оформить возврат по заказу 1081: Детская настольная лампа «Азбука», белый? "
            "Когда товар вернётся к нам и пройдёт проверку, 2 290 ₽ вернутся на карту ··77."
        )

    async def test_an_exchange_names_both(self) -> None:
        said = await question("exchange_items", BORIS, order_id="1081", items="лампу", new_items="зелёную")
        assert said == (
            "Оформить обмен по заказу 1081: "
            "Детская настольная лампа «Азбука», белый → Детская настольная лампа «Азбука», зелёный?"
        )

    async def test_a_change_of_items_says_that_it_is_the_only_one(self) -> None:
        said = await question(
            "change_items", ANNA, "en", order_id="1051", items=["FN-204-BK"], new_items="green"
        )
        assert said.endswith("green? Items can be changed once; the order cannot be cancelled afterwards.")

    async def test_a_dearer_variant_names_what_is_to_pay_and_a_cheaper_one_what_returns(self) -> None:
        owner = CustomerId("c-015")
        said = await question("change_items", owner, order_id="1181", items=["FN-702-20M"], new_items="10 м")
        assert "Разница, 2 500 ₽, вернётся на карту" in said
        owner = CustomerId("c-044")
        said = await question("change_items", owner, order_id="1029", items="гирлянда", new_items="20 м")
        assert "Доплата — 2 500 ₽, картой ··" in said

    async def test_a_change_of_payment_names_the_new_way_and_the_old_one(self) -> None:
        assert await question("change_payment", ANNA, order_id="1051", new_payment="подарочной картой") == (
            "Оплатить заказ 1051 подарочной картой: 4 290 ₽? "
            "Прежняя оплата, 4 290 ₽, вернётся на карту ··12 за 3–10 дней."
        )
        assert await question("change_payment", JOHN, "en", order_id="1093", new_payment="my PayPal") == (
            "Pay for order 1093 through PayPal: RUB 5,750? "
            "The earlier payment of RUB 5,750 returns to card ··09 in 3–10 days."
        )

    async def test_a_new_home_is_repeated_whole(self) -> None:
        said = await question(
            "change_home_address", ANNA, new_address="Садовая ул., 5", new_city="Бор", new_extra="кв. 17"
        )
        assert said == "Сохранить в профиле новый адрес: Бор, Садовая ул., 5, кв. 17?"

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("state", ["done", "already_done", "unknown", "refused"])
    async def test_every_outcome_has_words_in_both_languages(self, state: Any, language: Language) -> None:
        for name, owner, arguments in (
            ("change_payment", ANNA, {"order_id": "1051", "new_payment": "m-102"}),
            ("change_payment", VERA, {"order_id": "1090", "new_payment": "ЮMoney"}),
            ("change_items", CustomerId("c-015"), {"order_id": "1181", "new_items": ["FN-702-10M"] * 2}),
            (
                "change_items",
                CustomerId("c-044"),
                {"order_id": "1029", "items": "гирлянда", "new_items": "20 м"},
            ),
            ("return_items", BORIS, {"order_id": "1081"}),
            ("exchange_items", BORIS, {"order_id": "1081", "items": "лампу", "new_items": "синюю"}),
            ("change_home_address", ANNA, {"new_address": "Бор, Садовая ул., 5"}),
        ):
            told = await asked(name, owner, **arguments)
            proposal = Proposal.from_dict(told["proposal"])
            effect = Effect(proposal=proposal, state=state, facts=proposal.facts)
            for said in (BOX.effect_text(effect, language), BOX.confirmation(proposal, language)):
                assert len(said) > 10
                assert not re.search(r"[{}]|None|  ", said)


class TestWords:
    @pytest.mark.parametrize(
        ("items", "codes"),
        [
            ((), "FN-405-WH,FN-104-BK,FN-104-BK"),
            ("детскую лампу", "FN-405-WH"),
            ("налобные фонари", "FN-104-BK,FN-104-BK"),
            ("лампу и фонари", "FN-405-WH,FN-104-BK,FN-104-BK"),
            ("the desk lamp", "FN-405-WH"),
            ("fn 104", "FN-104-BK,FN-104-BK"),
            (["FN-104-BK", "FN-405-WH"], "FN-104-BK,FN-405-WH"),
            ("FN-104-BK, FN-405-WH", "FN-104-BK,FN-405-WH"),
        ],
    )
    async def test_goods_are_known_by_code_or_by_name(self, items: Any, codes: str) -> None:
        told = await asked("return_items", BORIS, order_id="1081", items=items)
        assert told["proposal"]["arguments"]["codes"] == codes

    @pytest.mark.parametrize(
        ("items", "fault"),
        [("холодильник", "not_in_order"), ("FN-999-BK", "not_in_order"), (["FN-405-WH"] * 2, "not_in_order")],
    )
    async def test_goods_that_are_not_there_are_said_not_to_be(self, items: Any, fault: str) -> None:
        assert (await asked("return_items", BORIS, order_id="1081", items=items))[
            "fault"
        ] == f"rejected.{fault}"

    async def test_words_that_fit_two_are_asked_about(self) -> None:
        told = await asked("exchange_items", BORIS, order_id="1081", items="лампу", new_items="«Азбука»")
        assert told["fault"] == "rejected.no_such_variant"
        told = await asked("change_payment", VERA, order_id="1090", new_payment="банковской картой")
        assert told["ok"]

    @pytest.mark.parametrize(
        ("said", "method"),
        [("m-102", "m-102"), ("подарочная карта", "m-102"), ("··58", "m-102"), ("gift card", "m-102")],
    )
    async def test_a_way_to_pay_is_known_by_id_digits_or_name(self, said: str, method: str) -> None:
        told = await asked("change_payment", ANNA, order_id="1051", new_payment=said)
        assert told["proposal"]["arguments"]["method"] == method

    @pytest.mark.parametrize("said", ["m-103", "карта 9999", "credit_card_1", "bitcoin", ""])
    async def test_another_ones_way_to_pay_is_none(self, said: str) -> None:
        told = await asked("change_payment", ANNA, order_id="1051", new_payment=said)
        assert told["fault"] == "rejected.no_such_method"


class TestReading:
    async def test_ways_to_pay_are_listed_for_their_owner(self) -> None:
        told = await asked("my_payment_methods", ANNA)
        assert [s.replace("\u00a0", " ") for s in told["sentences"]] == [
            "У вас 2 сохранённых способа оплаты: карта ··12 и подарочная карта, осталось 5 000 ₽."
        ]
        assert told["choices"]["new_payment"][0] == {"value": "m-101", "label": "карта ··12"}
        assert (await asked("my_payment_methods", CustomerId("c-050")))["sentences"] == [
            "Сохранённых способов оплаты у вас нет."
        ]

    async def test_every_variant_is_told_by_any_code_of_its_product(self) -> None:
        for code in ("FN-405", "fn-405-gn"):
            told = await asked("product_variants", ANNA, code=code)
            assert set(told["facts"]["variants"]) == {"FN-405-WH", "FN-405-BL", "FN-405-GN"}
            assert len(told["sentences"]) == 3
        assert (await asked("product_variants", ANNA, code="FN-999"))["facts"] == {}

    @pytest.mark.parametrize("language", LANGUAGES)
    async def test_an_order_whose_goods_come_back_says_so(self, language: Language) -> None:
        orders: FakeOrders = fake_orders()
        box = toolbox(orders)
        told = await asked("return_items", BORIS, box=box, order_id="1081", items="лампу")
        proposal = Proposal.from_dict(told["proposal"])
        await box.execute(proposal, caller(BORIS), key=proposal.id)
        order = await asked("order_status", BORIS, box=box, language=language, order_id="1081")
        assert order["sentences"][0] == PHRASES.say("order.state.return_requested", language, order="1081")
        assert order["facts"]["returning"] == ["FN-405-WH"]


def test_every_refusal_has_its_words() -> None:
    folder = Path(tools.__file__).parent
    reasons = {
        (path.relative_to(folder).parts[0], reason)
        for path in folder.rglob("*.py")
        for reason in re.findall(r'(?:Rejected\(|unclear=)"(\w+)"\)?', path.read_text("utf-8"))
    }
    assert len(reasons) >= 25
    # A room with texts of its own says its refusals itself; what is plugged in says them in the words of `outside`.
    speaking = {name: {"mcp": "outside", "openapi": "outside"}.get(name, name) for name, _ in reasons}
    own = {
        name: Phrases(folder / room / "texts")
        for name, room in speaking.items()
        if (folder / room / "texts").is_dir()
    }
    silent = {
        (name, reason, language)
        for name, reason in reasons
        for language in LANGUAGES
        if not own.get(name, PHRASES).has(f"fault.rejected.{reason}", language)
    }
    assert silent == set()


def test_every_state_of_an_order_has_its_words() -> None:
    from typing import get_args

    from tools.orders.port import OrderStatus

    for language in LANGUAGES:
        for status in get_args(OrderStatus):
            assert PHRASES.has(f"order.state.{status}", language)
            assert PHRASES.has(f"state_word.{status}", language)
    assert SHOP.return_days == 14


async def test_pieces_of_one_kind_are_named_once_with_their_number() -> None:
    told = await asked("return_items", BORIS, order_id="1081", items="")
    assert "«Полюс 600», чёрный × 2" in told["sentences"][0]
    assert told["sentences"][0].count("Полюс 600") == 1
