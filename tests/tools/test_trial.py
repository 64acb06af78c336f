"""Lines that fail to order: the house's own client tries, rests and reads back over them; the shop behind is real."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.tools.loaded import NOW
from tests.tools.shop import ANNA, BORIS, Clock
from tools.context import OrderId
from tools.errors import NotFound, Unavailable, Unsent
from tools.orders.port import Effect
from tools.trial.line import Line
from tools.trial.manners import MANNERS, Manner, Manners, manners_of, parts_of
from tools.trial.systems import Lines, TrialCRM, TrialOrders

PAID, SHIPPED = OrderId("1051"), OrderId("1045-А")


@pytest.fixture
async def engine(sqlite_shop: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(sqlite_shop)
    yield engine
    await engine.dispose()


@pytest.fixture
async def lines() -> AsyncIterator[Lines]:
    lines = Lines()
    yield lines
    await lines.close()


@pytest.fixture
def orders(engine: AsyncEngine, lines: Lines) -> TrialOrders:
    return TrialOrders(engine, lines, now=Clock(NOW))


async def one() -> int:
    return 1


@pytest.mark.parametrize("manner", [manner for manner in MANNERS if manner not in ("ok", "busy")])
async def test_a_read_is_tried_three_times_whatever_goes_wrong(manner: Manner) -> None:
    line = Line("orders", Manners(reads=(manner,)))
    with pytest.raises(Unavailable):
        await line.read(one)
    assert line.asked == [manner] * 3
    await line.close()


async def test_a_read_that_comes_through_at_last_gives_what_the_system_says() -> None:
    line = Line("orders", Manners(reads=("cut", "strange", "ok")))
    assert await line.read(one) == 1
    assert line.asked == ["cut", "strange", "ok"]
    await line.close()


async def test_who_asks_for_time_is_not_asked_again_meanwhile() -> None:
    line = Line("orders", Manners(reads=("busy", "ok")))
    for _ in range(3):
        with pytest.raises(Unsent):
            await line.read(one)
    assert line.asked == ["busy"]
    await line.close()


async def test_after_two_failed_calls_nothing_is_sent_for_a_while() -> None:
    line = Line("orders", Manners(reads=("refused",) * 6 + ("ok",)))
    for _ in range(4):
        with pytest.raises(Unavailable):
            await line.read(one)
    assert line.asked == ["refused"] * 6
    await line.close()


async def test_a_refusal_of_the_system_is_an_answer_and_is_not_tried_again() -> None:
    async def none() -> int:
        raise NotFound

    line = Line("orders", Manners())
    with pytest.raises(NotFound):
        await line.read(none)
    assert line.asked == ["ok"]
    await line.close()


async def _cancelled(orders: TrialOrders) -> Effect:
    proposal = await orders.propose_cancel(PAID, owner=ANNA, reason="")
    return await orders.execute(proposal, owner=ANNA, key=proposal.id)


async def test_a_change_whose_answer_was_lost_is_found_done_and_sent_once(
    orders: TrialOrders, lines: Lines
) -> None:
    line = lines.strain("orders", ANNA, Manners(writes=("lost", "ok")))
    assert (await _cancelled(orders)).state == "done"
    assert line.asked.count("lost") == 1
    assert (await orders.get(PAID, owner=ANNA)).status == "cancelled"


@pytest.mark.parametrize("manner", ["error", "slow", "cut"])
async def test_a_change_of_which_nothing_is_seen_is_not_sent_again(
    orders: TrialOrders, lines: Lines, manner: Manner
) -> None:
    line = lines.strain("orders", ANNA, Manners(writes=(manner, "ok")))
    assert (await _cancelled(orders)).state == "unknown"
    assert line.asked.count(manner) == 1
    assert (await orders.get(PAID, owner=ANNA)).status == "paid"


async def test_a_change_that_never_left_may_be_asked_for_again(orders: TrialOrders, lines: Lines) -> None:
    lines.strain("orders", ANNA, Manners(writes=("refused", "ok")))
    with pytest.raises(Unsent):
        await _cancelled(orders)
    assert (await _cancelled(orders)).state == "done"


async def test_only_whom_a_trial_names_meets_the_fault(
    orders: TrialOrders, lines: Lines, engine: AsyncEngine
) -> None:
    lines.strain("orders", ANNA, Manners(reads=("error",)))
    lines.strain("crm", BORIS, Manners(reads=("error",)))
    crm = TrialCRM(engine, lines)
    with pytest.raises(Unavailable):
        await orders.list(owner=ANNA)
    with pytest.raises(Unavailable):
        await orders.methods(owner=ANNA)
    assert await orders.list(owner=BORIS)
    assert (await crm.customer(ANNA)).id == ANNA
    with pytest.raises(Unavailable):
        await crm.customer(BORIS)


async def test_an_order_without_its_delivery_says_nothing_of_it_and_cannot_be_changed(
    orders: TrialOrders, lines: Lines
) -> None:
    known = await orders.get(SHIPPED, owner=ANNA)
    lines.silence(ANNA, parts_of(["delivery"]))
    half = await orders.get(SHIPPED, owner=ANNA)
    assert known.fulfilment.tracking
    assert half.fulfilment.tracking is None
    assert (half.status, half.unreached) == ("unclear", {"delivery"})
    assert (half.payment, half.items, half.total) == (known.payment, known.items, known.total)
    with pytest.raises(Unavailable):
        await orders.propose_cancel(PAID, owner=ANNA, reason="")


def test_what_a_case_names_is_read_strictly() -> None:
    assert manners_of("slow") == Manners(reads=("slow",), writes=("slow",))
    assert manners_of({"writes": ["lost", "ok"]}) == Manners(writes=("lost", "ok"))
    for wrong in ("down", [], ["ok", "sloww"], {"reads": "ok", "deletes": "ok"}):
        with pytest.raises(ValueError, match=r"not|known"):
            manners_of(wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="delivery"):
        parts_of(["weather"])
