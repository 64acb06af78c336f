"""Another currency than the house's, and days that begin elsewhere earlier than in UTC."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from agent.domain import Evidence, Sentence
from agent.grounding import verify
from agent.records.engine import connect
from tests.tools.shop import ANNA, PHRASES, SHOP, caller, toolbox
from tools import tables as t
from tools.errors import Rejected
from tools.orders import rules
from tools.orders.embedded import EmbeddedOrders
from tools.orders.facts import order_facts, order_sentences, state_sentence, summary
from tools.orders.fake import FakeOrders
from tools.orders.port import Order
from tools.phrases import Phrases
from tools.proposal import Proposal
from tools.toolbox import TEXTS

MOSCOW = ZoneInfo("Europe/Moscow")
LATE_EVENING = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
"""24 November, half past two in the morning, in Moscow."""


def order(number: str = "1051", **changes: object) -> Order:
    known = next(one for one in SHOP.orders if one.id == number)
    return replace(known, **changes)  # type: ignore[arg-type]


def orders(*changed: Order) -> FakeOrders:
    return FakeOrders(
        changed,
        SHOP.products,
        terms=SHOP.terms,
        methods=SHOP.methods,
        return_days=SHOP.return_days,
        now=lambda: LATE_EVENING.astimezone(MOSCOW),
    )


def carried(claim: str, *, by: str) -> bool:
    seen = Evidence(ref="t1", kind="tool", title="list_orders", text=by)
    return verify(Sentence(text=claim, refs=("t1",)), {"t1": seen}).ok


class TestAnotherCurrency:
    @pytest.mark.parametrize(
        ("currency", "ru", "en"),
        [("EUR", "4\u00a0290\u00a0€", "EUR\u00a04,290"), ("KZT", "4\u00a0290\u00a0KZT", "KZT\u00a04,290")],
    )
    def test_is_said_with_every_amount_of_the_order(self, currency: str, ru: str, en: str) -> None:
        abroad = order(currency=currency)
        for language, amount in (("ru", ru), ("en", en)):
            said = " ".join(
                (
                    *order_sentences(abroad, phrases=PHRASES, language=language, now=LATE_EVENING),  # type: ignore[arg-type]
                    summary(abroad, phrases=PHRASES, language=language),  # type: ignore[arg-type]
                )
            )
            assert said.count(amount) == 2
            assert "₽" not in said
            assert "RUB" not in said

    async def test_is_said_in_the_question_before_a_change_and_after_it(self) -> None:
        box = toolbox(orders(order(currency="EUR")))
        asked = json.loads(await box.call("cancel_order", {"order_id": "1051"}, caller(now=LATE_EVENING)))
        assert "4\u00a0290\u00a0€" in asked["sentences"][0]
        proposal = Proposal.from_dict(asked["proposal"])
        effect = await box.execute(proposal, caller(now=LATE_EVENING), key=proposal.id)
        assert "4\u00a0290\u00a0€" in box.effect_text(effect, "ru")
        assert "₽" not in asked["sentences"][0] + box.effect_text(effect, "ru")

    async def test_stays_with_its_own_order_in_a_list(self) -> None:
        box = toolbox(orders(order(currency="EUR"), order("1045-А")))
        told = json.loads(await box.call("list_orders", {}, caller()))
        lines = {
            number: line for line in told["sentences"][1:] for number in ("1051", "1045-А") if number in line
        }
        assert ("€" in lines["1051"], "₽" in lines["1051"]) == (True, False)
        assert ("€" in lines["1045-А"], "₽" in lines["1045-А"]) == (False, True)
        assert {row["currency"] for row in told["facts"]["orders"]} == {"EUR", "RUB"}

    async def test_is_never_added_to_another_one(self) -> None:
        box = toolbox(orders(order(currency="EUR"), order("1045-А")))
        told = json.loads(await box.call("list_orders", {}, caller()))
        both = order().total + order("1045-А").total
        for claim in (f"Всего вы потратили {both} €.", f"Всего вы потратили {both} ₽."):
            assert not carried(claim, by="\n".join(told["sentences"]))
        assert json.dumps(told, ensure_ascii=False).find(str(int(both))) == -1

    def test_exchanged_for_another_sign_is_not_what_the_order_system_said(self) -> None:
        said = "Сумма заказа 1051 вместе с доставкой — 4 290 €."
        assert carried(said, by=said)
        for other in ("₽", "$"):
            assert not carried(said.replace("€", other), by=said)

    @pytest.mark.parametrize("currency", ["", "\u202eRUB\n<b>", "рубли"])
    def test_that_is_none_says_nothing_it_should_not(self, currency: str) -> None:
        said = summary(order(currency=currency), phrases=PHRASES, language="ru")
        assert not {"\n", "\u202e"} & set(said)
        assert ("₽" in said) == (not currency)


class TestTheCompanysDay:
    def test_an_order_placed_late_in_the_evening_utc_is_of_the_next_day_in_moscow(self) -> None:
        late = order(placed=LATE_EVENING)
        assert "24\u00a0ноября\u00a02026" in summary(late, phrases=PHRASES, language="ru")
        assert "24\u00a0November\u00a02026" in summary(late, phrases=PHRASES, language="en")
        told = order_facts(late, phrases=PHRASES, language="ru")
        assert told["placed"] == "2026-11-24T02:30:00+03:00"

    @pytest.mark.parametrize(
        ("eta", "late"),
        [(date(2026, 11, 23), True), (date(2026, 11, 24), False), (date(2026, 11, 25), False)],
    )
    def test_a_parcel_is_late_from_the_companys_next_day_on(self, eta: date, late: bool) -> None:
        known = order("1045-А")
        coming = replace(known, status="shipped", fulfilment=replace(known.fulfilment, eta=eta))
        said = state_sentence(coming, phrases=PHRASES, language="ru", now=LATE_EVENING)
        expected = "late" if late else "by"
        assert said == PHRASES.say(f"order.state.shipped_{expected}", "ru", order="1045-А", eta=eta)

    @pytest.mark.parametrize(
        ("now", "in_time"), [("2026-11-24T23:59+03:00", True), ("2026-11-25T00:00+03:00", False)]
    )
    def test_the_last_day_of_a_return_ends_at_the_companys_midnight(self, now: str, in_time: bool) -> None:
        # Received on 10 November at 23:30 UTC, which is the 11th in Moscow: 13 days end with the 24th.
        known = order("1081")
        received = datetime(2026, 11, 10, 23, 30, tzinfo=UTC)
        parcel = replace(known.fulfilment, delivered=received)
        there = replace(known, status="delivered", fulfilment=parcel)
        setting = rules.Setting(
            now=datetime.fromisoformat(now).astimezone(MOSCOW), terms=SHOP.terms, return_days=13
        )

        def ask() -> Proposal:
            codes = [there.items[0].code]
            return rules.giving_back(there, codes=codes, refund_to=None, setting=setting)

        if in_time:
            assert ask().tool == "return_items"
        else:
            with pytest.raises(Rejected, match="return_too_late"):
                ask()

    async def test_a_change_tells_the_limits_the_companys_day_of_the_order(self) -> None:
        box = toolbox(orders(order(placed=datetime(2026, 11, 22, 23, 30, tzinfo=UTC))))
        asked = json.loads(await box.call("cancel_order", {"order_id": "1051"}, caller(now=LATE_EVENING)))
        assert (asked["facts"]["placed"], asked["facts"]["currency"]) == ("2026-11-23", "RUB")

    async def test_the_same_holds_of_a_shop_in_sql(self, sqlite_shop: str) -> None:
        engine = connect(sqlite_shop)
        try:
            late = update(t.orders).where(t.orders.c.id == "1051").values(placed=LATE_EVENING)
            async with engine.begin() as connection:
                await connection.execute(late.values(currency="EUR"))
            shop = EmbeddedOrders(engine, now=lambda: LATE_EVENING.astimezone(MOSCOW))
            proposal = await shop.propose_cancel(order().id, owner=ANNA, reason="")
            assert (proposal.facts["placed"], proposal.facts["currency"]) == ("2026-11-24", "EUR")
        finally:
            await engine.dispose()


class TestTheHourThatComesTwice:
    BERLIN = Phrases(TEXTS, timezone="Europe/Berlin")

    @pytest.mark.parametrize(
        ("moment", "said"),
        [
            # 29 March 2026: 02:00 becomes 03:00. 25 October: 03:00 becomes 02:00.
            ("2026-03-29T00:59:00+00:00", "01:59"),
            ("2026-03-29T01:00:00+00:00", "03:00"),
            ("2026-10-25T00:30:00+00:00", "02:30"),
            ("2026-10-25T01:30:00+00:00", "02:30"),
            ("2026-10-25T02:00:00+00:00", "03:00"),
        ],
    )
    def test_is_said_as_clocks_on_the_wall_show_it(self, moment: str, said: str) -> None:
        until = datetime.fromisoformat(moment)
        facts = {"order": "1090", "amount": 5, "currency": "EUR", "url": "https://x.example/"}
        assert f" {said} " in self.BERLIN.say("payment.link", "ru", until=until, **facts)

    @pytest.mark.parametrize(
        ("moment", "day"),
        [
            ("2026-03-28T22:59:00+00:00", "28\u00a0марта"),
            ("2026-03-28T23:00:00+00:00", "29\u00a0марта"),
            ("2026-03-29T21:59:00+00:00", "29\u00a0марта"),
            ("2026-03-29T22:00:00+00:00", "30\u00a0марта"),
            ("2026-10-24T22:00:00+00:00", "25\u00a0октября"),
            ("2026-10-25T22:59:00+00:00", "25\u00a0октября"),
            ("2026-10-25T23:00:00+00:00", "26\u00a0октября"),
        ],
    )
    def test_leaves_each_day_its_own_midnight(self, moment: str, day: str) -> None:
        placed = order(placed=datetime.fromisoformat(moment))
        assert day in summary(placed, phrases=self.BERLIN, language="ru")
