"""Which tools exist for whom, what they answer, and what a confirmation binds."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain.tools import ToolRuntime
from langchain_core.utils.function_calling import convert_to_openai_tool

from tests.tools.loaded import NOW
from tests.tools.shop import (
    ALL_PURPOSES,
    ANNA,
    BORIS,
    JOHN,
    PHRASES,
    SHOP,
    VERA,
    caller,
    fake_orders,
    toolbox,
)
from tools.context import Assurance, Caller, Language
from tools.crm.fake import FakeCRM
from tools.errors import Expired, NoBasis, NotFound, NotIdentified, Unavailable, Unconfirmed
from tools.orders.fake import FakeOrders
from tools.orders.functions import order_tools
from tools.proposal import Effect, Proposal
from tools.toolbox import Toolbox

WRITES = {
    "cancel_order",
    "change_address",
    "change_payment",
    "change_items",
    "return_items",
    "exchange_items",
    "change_home_address",
}
PUBLIC = {"find_product", "product_variants"}
NAMES = WRITES | PUBLIC | {"order_status", "list_orders", "my_payment_methods", "my_profile"}
BOX = toolbox()
ARGUMENTS: dict[str, dict[str, object]] = {
    "order_status": {"order_id": "1051"},
    "list_orders": {},
    "find_product": {"query": "FN-204"},
    "my_profile": {},
    "cancel_order": {"order_id": "1051", "reason": "передумала"},
    "change_address": {"order_id": "1051", "new_address": "Нижний Новгород, ул. Садовая, д. 5"},
    "change_payment": {"order_id": "1051", "new_payment": "m-102"},
    "change_items": {"order_id": "1051", "items": ["FN-204-BK"], "new_items": ["FN-204-GN"]},
    "return_items": {"order_id": "1051"},
    "exchange_items": {"order_id": "1051", "new_items": ["FN-204-GN"]},
    "change_home_address": {"new_address": "Нижний Новгород, ул. Садовая, д. 5"},
    "my_payment_methods": {},
    "product_variants": {"code": "FN-204"},
}


async def told(box: Toolbox, name: str, who: Caller, **arguments: object) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(await box.call(name, arguments or ARGUMENTS[name], who))
    return result


async def proposed(box: Toolbox, who: Caller | None = None, **arguments: object) -> Proposal:
    result = await told(box, "cancel_order", who or caller(), **arguments)
    return Proposal.from_dict(result["proposal"])


class TestOffer:
    @given(
        purposes=st.frozensets(st.sampled_from([*sorted(ALL_PURPOSES), "marketing", "memory"])),
        assurance=st.sampled_from(["anonymous", "channel", "verified", "stepped_up"]),
        known=st.booleans(),
    )
    async def test_a_tool_exists_iff_its_purpose_has_a_basis_and_its_assurance_is_met(
        self, purposes: frozenset[str], assurance: Assurance, known: bool
    ) -> None:
        who = caller(ANNA if known else None, purposes=purposes, assurance=assurance)
        ladder = ["anonymous", "channel", "verified", "stepped_up"]
        offered = {tool.name for tool in BOX.offered(who)}
        for tool in BOX.tools():
            scope = BOX.scope(tool.name)
            sure = ladder.index(assurance) >= ladder.index(BOX.assurance(tool.name)) and (
                known or scope is None
            )
            based = scope is None or scope in purposes
            assert (tool.name in offered) == (sure and based)
            assert ((tool.name, scope) in BOX.needed(who)) == (sure and not based)
            if tool.name not in offered:
                with pytest.raises(NotIdentified if not sure else NoBasis):
                    await BOX.call(tool.name, ARGUMENTS[tool.name], who)

    def test_the_catalogue_is_public_and_everything_else_is_not(self) -> None:
        nobody = caller(None, purposes=frozenset(), assurance="anonymous")
        assert {tool.name for tool in BOX.tools()} == NAMES
        assert {tool.name for tool in BOX.offered(nobody)} == PUBLIC
        assert BOX.needed(nobody) == ()
        assert {name for name in NAMES if BOX.effect(name) == "write"} == WRITES

    async def test_what_was_taken_back_meanwhile_is_not_done_whatever_the_caller_was_told(self) -> None:
        """The gate is asked at the moment of each call, by whichever way the tool is called."""
        orders, asked = fake_orders(), list[str]()

        async def taken_back(who: Caller, purpose: str) -> None:
            asked.append(purpose)
            raise NoBasis(purpose)

        offer = await proposed(toolbox(orders))
        orders.fail_with = AssertionError("the order system was asked without a basis")
        box = Toolbox(order_tools(orders, PHRASES), require=taken_back)
        runtime = ToolRuntime(
            state={}, context=caller(), config={}, stream_writer=print, tool_call_id=None, store=None
        )
        (status,) = [tool for tool in box.offered(caller()) if tool.name == "order_status"]
        with pytest.raises(NoBasis):
            await status.ainvoke({"order_id": "1051", "runtime": runtime})
        with pytest.raises(NoBasis):
            await box.call("order_status", {"order_id": "1051"}, caller())
        with pytest.raises(NoBasis):
            await box.execute(offer, caller(), key=offer.id)
        assert asked == ["orders:read", "orders:read", "orders:write"]

    async def test_what_is_nobodys_needs_no_basis(self) -> None:
        async def never(who: Caller, purpose: str) -> None:
            raise AssertionError(purpose)

        box = Toolbox(order_tools(fake_orders(), PHRASES), require=never)
        assert (await told(box, "find_product", caller(None, assurance="anonymous")))["ok"]

    async def test_each_use_is_seen_before_it_begins_and_what_cannot_be_seen_does_not_begin(self) -> None:
        seen: list[tuple[str, object]] = []

        async def basis(who: Caller, purpose: str) -> str:
            return f"the basis of {purpose}"

        async def watch(who: Caller, tool: str, found: object) -> None:
            seen.append((tool, found))
            raise OSError("No space left on device")

        orders = fake_orders()
        offer = await proposed(toolbox(orders))
        orders.fail_with = AssertionError("the order system was asked, and nobody saw it")
        box = Toolbox(order_tools(orders, PHRASES), require=basis, watch=watch)
        with pytest.raises(OSError, match="No space"):
            await box.call("order_status", {"order_id": "1051"}, caller())
        with pytest.raises(OSError, match="No space"):
            await box.execute(offer, caller(), key=offer.id)
        assert seen == [
            ("order_status", "the basis of orders:read"),
            ("cancel_order", "the basis of orders:write"),
        ]
        orders.fail_with = None
        assert (await told(box, "find_product", caller(None, assurance="anonymous")))["ok"]

    async def test_without_a_basis_the_system_is_not_even_asked(self) -> None:
        orders = fake_orders()
        orders.fail_with = AssertionError("the order system was asked without a basis")
        with pytest.raises(NoBasis) as fault:
            await toolbox(orders).call("order_status", {"order_id": "1051"}, caller(purposes=frozenset()))
        assert fault.value.purpose == "orders:read"

    async def test_a_linked_messenger_may_read_but_not_write(self) -> None:
        who = caller(assurance="channel")
        assert WRITES.isdisjoint(tool.name for tool in BOX.offered(who))
        with pytest.raises(NotIdentified):
            await BOX.call("cancel_order", ARGUMENTS["cancel_order"], who)


class TestSchemas:
    # Contacts and identities, in the languages models speak; a new contact value would be new_….
    IDENTITY = re.compile(
        r"customer|client|user|owner|account|login|e-?mail|phone|tenant|клиент_|аккаунт|телефон", re.I
    )

    @pytest.mark.parametrize("tool", BOX.tools(), ids=lambda tool: tool.name)
    def test_no_argument_of_any_tool_can_name_a_customer(self, tool: Any) -> None:
        names = {
            *self.properties(convert_to_openai_tool(tool)),
            *self.properties(tool.tool_call_schema.model_json_schema()),
        }
        names |= set(tool.args)
        assert {name for name in names if self.IDENTITY.search(name) and not name.startswith("new_")} == set()
        known = {"order_id", "reason", "query", "code", "items", "payment"}
        assert {name for name in names if not name.startswith("new_")} <= known

    def properties(self, schema: Any) -> Iterator[str]:
        if isinstance(schema, dict):
            for name, value in schema.items():
                if name in ("properties", "$defs", "definitions") and isinstance(value, dict):
                    yield from value
                yield from self.properties(value)
        elif isinstance(schema, list):
            for value in schema:
                yield from self.properties(value)

    async def test_a_smuggled_identity_changes_nothing(self) -> None:
        plain = await BOX.call("list_orders", {}, caller())
        smuggled = {"customer_id": BORIS, "owner": BORIS, "user": "boris", "email": "boris@example.com"}
        assert await BOX.call("list_orders", smuggled, caller()) == plain

    @pytest.mark.parametrize("tool", BOX.tools(), ids=lambda tool: tool.name)
    def test_a_planner_without_a_provider_finds_rule_and_wording_in_the_extras(self, tool: Any) -> None:
        wording = {"status", "cues", "slots"}
        assert set(tool.extras) - {"recipients", "fills"} == {"scope", "effect", "assurance"} | wording
        for language in ("ru", "en"):
            assert len(set(tool.extras["cues"][language])) >= 12
            assert tool.extras["status"][language].endswith("…")
        assert set(tool.extras["slots"]) == set(tool.args)


class TestAnswers:
    async def test_where_is_my_order_is_answered_in_sentences_that_stand_alone(self) -> None:
        result = await told(BOX, "order_status", caller(), order_id="заказ № 1045a")
        assert (result["ok"], result["kind"]) == (True, "order")
        assert result["sentences"][0] == "Заказ 1045-А в пути, ждём его 24\u00a0ноября."
        assert all("1045-А" in sentence for sentence in result["sentences"])
        assert result["facts"]["eta"] == "2026-11-24"
        assert "В заказе 1045-А 3\u00a0товара: Налобный фонарь «Полюс 1000» (1 шт.) и" in " ".join(
            result["sentences"]
        )

    async def test_john_is_answered_in_english(self) -> None:
        result = await told(BOX, "order_status", caller(JOHN, language="en"), order_id="1093")
        assert result["sentences"][0] == (
            "Order 1093 is packed and waiting to be shipped; it should arrive on 25\u00a0November."
        )
        assert not re.search("[а-яё]{3}", " ".join(result["sentences"][:1] + result["sentences"][2:]))

    async def test_a_late_parcel_is_said_to_be_late(self) -> None:
        result = await told(BOX, "order_status", caller(VERA), order_id="1084")
        assert (
            result["sentences"][0] == "Заказ 1084 в пути и задерживается: должен был приехать 19\u00a0ноября."
        )

    async def test_the_orders_under_way_are_named_first(self) -> None:
        result = await told(BOX, "list_orders", caller())
        assert result["sentences"][0] == "У вас 2\u00a0заказа в работе: 1051 и 1045-А."
        assert result["facts"]["active"] == ["1051", "1045-А"]
        assert len(result["sentences"]) == 1 + len(result["facts"]["orders"]) == 5

    async def test_a_customer_without_orders_is_told_so(self) -> None:
        result = await told(toolbox(FakeOrders()), "list_orders", caller())
        assert result["sentences"] == ["Заказов у вас пока нет."]

    async def test_a_product_is_told_with_price_stock_and_features(self) -> None:
        result = await told(
            BOX, "find_product", caller(None, assurance="anonymous"), query="сколько стоит fn-204"
        )
        assert result["sentences"][0] == "Ручной фонарь «Дозор 900» (FN-204) — 3\u00a0490\u00a0₽."
        assert "Ручной фонарь «Дозор 900» (FN-204): световой поток 900\u00a0люменов." in result["sentences"]
        assert [product["code"] for product in result["facts"]["products"]] == ["FN-204"]

    async def test_reviews_stay_out_of_a_models_sight(self) -> None:
        result = await BOX.call("find_product", {"query": "FN-204"}, caller())
        texts = [review.text for product in SHOP.products for review in product.reviews]
        assert texts
        assert not any(text in result for text in texts)

    async def test_a_profile_shows_points_and_masks_contacts(self) -> None:
        raw = await BOX.call("my_profile", {}, caller())
        assert "anna@example.com" not in raw
        assert "+7 900" not in raw
        result = json.loads(raw)
        assert "a•••@example.com" in result["sentences"][-1]
        assert any("балл" in sentence for sentence in result["sentences"])

    @pytest.mark.parametrize("name", ["order_status", "cancel_order", "change_address"])
    async def test_a_foreign_order_and_an_absent_one_give_the_same_bytes(self, name: str) -> None:
        rest = {k: v for k, v in ARGUMENTS[name].items() if k != "order_id"}
        foreign = await BOX.call(name, {"order_id": "1077", **rest}, caller())
        absent = await BOX.call(name, {"order_id": "8888", **rest}, caller())
        assert foreign.encode() == absent.encode()
        without = toolbox(FakeOrders([o for o in SHOP.orders if o.owner == ANNA], SHOP.products))
        assert foreign == await without.call(name, {"order_id": "1077", **rest}, caller())
        assert json.loads(foreign)["fault"] == "not_found"

    @pytest.mark.parametrize(
        ("order_id", "fault"),
        [
            ("когда-нибудь", "rejected.bad_number"),
            ("", "rejected.bad_number"),
            ("1045-А или 1051", "rejected.which_order"),
        ],
    )
    async def test_what_is_no_number_is_said_to_be_none(self, order_id: str, fault: str) -> None:
        result = await told(BOX, "order_status", caller(), order_id=order_id)
        assert (result["ok"], result["fault"]) == (False, fault)

    async def test_a_silent_system_is_a_fault_in_words(self) -> None:
        orders, crm = fake_orders(), FakeCRM(SHOP.customers)
        orders.fail_with = crm.fail_with = Unavailable("connection to 10.0.0.7 refused")
        box = toolbox(orders, crm)
        for name in sorted(NAMES):
            raw = await box.call(name, ARGUMENTS[name], caller())
            result = json.loads(raw)
            assert (result["ok"], result["kind"], result["fault"]) == (False, "fault", "unavailable")
            assert result["sentences"]
            assert "10.0.0.7" not in raw
            assert "Traceback" not in raw

    @pytest.mark.parametrize("language", ["ru", "en"])
    def test_every_tool_has_words_for_what_its_silence_leaves_open(self, language: Language) -> None:
        shown = {key[7:] for key in PHRASES.keys(language) if key.startswith("status.")}
        assert shown == {key[10:] for key in PHRASES.keys(language) if key.startswith("unreached.")} > NAMES
        words = {name: BOX.unreached(name, {"order_id": "№ 1045a"}, language) for name in NAMES}
        assert all(words.values())
        assert len(set(words.values())) == len(words), "two tools would look like one"
        assert "1045-А" in words["order_status"]
        assert "{" not in "".join(words.values())
        assert not any(said.endswith(".") for said in words.values()), "they go on a sentence"

    @pytest.mark.parametrize(
        "order_id", ["", "https://evil.example/1", "позвоните по номеру", "1 или 2", None]
    )
    def test_nothing_but_an_order_number_is_put_into_those_words(self, order_id: object) -> None:
        assert BOX.unreached("order_status", {"order_id": order_id}, "ru") == ""
        assert BOX.unreached("list_orders", {"order_id": order_id}, "ru") == "посмотреть ваши заказы"

    def test_a_tool_that_is_not_there_has_no_words(self) -> None:
        assert BOX.unreached("drop_tables", {}, "ru") == ""

    async def test_what_nobody_foresaw_is_not_hidden(self) -> None:
        orders = fake_orders()
        orders.fail_with = ZeroDivisionError()
        with pytest.raises(ZeroDivisionError):
            await toolbox(orders).call("list_orders", {}, caller())

    async def test_a_result_is_bounded_whatever_the_shop_holds(self) -> None:
        order = next(order for order in SHOP.orders if order.id == "1051")
        vast = [
            replace(
                order, id=f"{n}", items=tuple(replace(order.items[0], quantity=n + 1) for n in range(100))
            )
            for n in range(1, 80)
        ]
        box = toolbox(
            FakeOrders(
                vast, [replace(p, attributes={f"a{n}": "x" * 9000 for n in range(99)}) for p in SHOP.products]
            )
        )
        for name in ("order_status", "list_orders", "find_product"):
            arguments = {"order_id": "7"} if name == "order_status" else ARGUMENTS[name]
            assert len((await box.call(name, arguments, caller())).encode()) < 64_000

    @pytest.mark.parametrize("language", ["ru", "en"])
    async def test_every_order_and_product_of_the_demo_can_be_said_cleanly(self, language: Language) -> None:
        said: list[str] = []
        for order in SHOP.orders:
            who = caller(order.owner, language=language)
            result = await told(BOX, "order_status", who, order_id=order.id)
            assert result["ok"], order.id
            said += result["sentences"]
        for product in SHOP.products:
            result = await told(BOX, "find_product", caller(language=language), query=product.code)
            said += result["sentences"]
        assert len(said) > 2500
        assert [s for s in said if not s.endswith(".") or re.search(r"\.\.|\s[.,]|  |None|[{}]", s)] == []


class TestWrites:
    async def test_a_write_tool_only_asks(self) -> None:
        orders = fake_orders()
        result = await told(toolbox(orders), "cancel_order", caller())
        assert result["kind"] == "proposal"
        assert result["sentences"] == [
            "Отменить заказ 1051 на 4\u00a0290\u00a0₽? Деньги вернутся на карту ··12 за 3–10\u00a0дней."
        ]
        assert (await orders.get("1051", owner=ANNA)).status == "paid"  # type: ignore[arg-type]

    async def test_the_english_question_is_the_same_question(self) -> None:
        proposal = await proposed(BOX)
        assert BOX.confirmation(proposal, "en") == (
            "Cancel order 1051 for RUB\u00a04,290? The money returns to card ··12 in 3–10\u00a0days."
        )

    async def test_a_new_address_is_repeated_in_the_question(self) -> None:
        result = await told(BOX, "change_address", caller())
        assert result["sentences"] == [
            "Доставить заказ 1051 по новому адресу: Нижний Новгород, ул. Садовая, д. 5?"
        ]

    async def test_a_confirmed_write_happens_once_and_is_told(self) -> None:
        box = toolbox()
        proposal = await proposed(box)
        first = await box.execute(proposal, caller(), key=proposal.id)
        again = await box.execute(proposal, caller(), key=proposal.id)
        assert (first.state, again.state) == ("done", "already_done")
        assert box.effect_text(first, "ru") == (
            "Готово, заказ 1051 отменён. 4\u00a0290\u00a0₽ вернутся на карту ··12 за 3–10\u00a0дней."
        )
        assert box.effect_text(again, "ru").startswith("Заказ 1051 уже отменён.")

    @pytest.mark.parametrize(
        ("who", "fault"),
        [
            (caller(purposes=frozenset({"orders:read"})), NoBasis),
            (caller(assurance="channel"), NotIdentified),
            (caller(None), NotIdentified),
            (caller(BORIS), NotFound),
            (caller(now=NOW + timedelta(minutes=10)), Expired),
        ],
    )
    async def test_everything_is_checked_again_before_the_effect(
        self, who: Caller, fault: type[Exception]
    ) -> None:
        orders = fake_orders()
        box = toolbox(orders)
        proposal = await proposed(box)
        orders.fail_with = AssertionError("the order system was asked")
        with pytest.raises(fault):
            await box.execute(proposal, who, key=proposal.id)

    @pytest.mark.parametrize(
        "change",
        [
            {"arguments": {"order_id": "1045-А"}},
            {"tool": "order_status"},
            {"tool": "no_such"},
            {"owner": BORIS},
        ],
        ids=lambda change: next(iter(change)),
    )
    async def test_an_altered_proposal_is_not_what_was_confirmed(self, change: dict[str, Any]) -> None:
        box = toolbox()
        proposal = replace(await proposed(box), **change)
        with pytest.raises(Unconfirmed):
            await box.execute(proposal, caller(proposal.owner), key="k")

    async def test_a_refusal_is_an_effect_with_a_reason(self) -> None:
        box = toolbox()
        stale = await proposed(box)
        moved = Proposal.from_dict((await told(box, "change_address", caller()))["proposal"])
        await box.execute(moved, caller(), key=moved.id)
        effect = await box.execute(stale, caller(), key=stale.id)
        assert (effect.state, effect.facts["reason"]) == ("refused", "changed")
        assert box.effect_text(effect, "ru").startswith("С тех пор заказ изменился")

    async def test_not_knowing_is_said_and_given_to_a_person(self) -> None:
        orders = fake_orders()
        box = toolbox(orders)
        proposal = await proposed(box)
        orders.fail_with = Unavailable("timeout after the request was sent")
        effect = await box.execute(proposal, caller(), key=proposal.id)
        assert effect.state == "unknown"
        assert "Проверит сотрудник" in box.effect_text(effect, "ru")

    async def test_a_proposal_survives_json_and_not_a_change_in_it(self) -> None:
        proposal = await proposed(BOX)
        assert Proposal.from_json(proposal.to_json()) == proposal
        for broken in (proposal.to_json().replace("1051", "1045"), "[]", "{}", "no json", "null"):
            with pytest.raises(Unconfirmed):
                Proposal.from_json(broken)

    @pytest.mark.parametrize("state", ["done", "already_done", "unknown", "refused"])
    @pytest.mark.parametrize("language", ["ru", "en"])
    async def test_every_outcome_has_words_in_both_languages(self, state: Any, language: Language) -> None:
        for owner, number in ((ANNA, "1051"), (VERA, "1090"), (JOHN, "1093")):
            for name in ("cancel_order", "change_address"):
                who = caller(owner)
                result = await told(BOX, name, who, **{**ARGUMENTS[name], "order_id": number})
                proposal = Proposal.from_dict(result["proposal"])
                effect = Effect(proposal=proposal, state=state, facts=proposal.facts)
                assert len(BOX.effect_text(effect, language)) > 10
                assert number in BOX.confirmation(proposal, language)


class TestStricterRules:
    def test_a_company_asks_for_more_and_the_tool_is_offered_to_nobody_less_sure(self) -> None:
        box = stricter(cancel_order="stepped_up")
        assert box.assurance("cancel_order") == "stepped_up"
        assert "cancel_order" not in {tool.name for tool in box.offered(caller())}
        assert "cancel_order" in {tool.name for tool in box.offered(caller(assurance="stepped_up"))}

    async def test_a_call_past_the_offer_is_refused_too(self) -> None:
        with pytest.raises(NotIdentified):
            await stricter(order_status="stepped_up").call("order_status", {"order_id": "1051"}, caller())

    @pytest.mark.parametrize(
        ("name", "assurance"),
        [("cancel_order", "channel"), ("find_product", "verified"), ("fly", "verified")],
    )
    def test_less_is_refused_and_so_is_a_tool_that_is_not_there(
        self, name: str, assurance: Assurance
    ) -> None:
        with pytest.raises(ValueError, match=name):
            stricter(**{name: assurance})


def stricter(**rules: Assurance) -> Toolbox:
    return Toolbox(order_tools(fake_orders(), PHRASES), stricter=rules)
