"""One record of a customer merged into another: the old one is nobody, and nothing leads from it to the one that is left."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import create_async_engine

from tests.tools.shop import ANNA, BORIS, PHRASES, SHOP, Clock, caller
from tools import tables as t
from tools.crm.embedded import EmbeddedCRM
from tools.crm.fake import FakeCRM
from tools.crm.functions import crm_tools
from tools.crm.port import CRM
from tools.errors import NotFound
from tools.orders.embedded import EmbeddedOrders
from tools.orders.fake import FakeOrders
from tools.orders.functions import order_tools
from tools.orders.port import OrderId, Orders
from tools.proposal import Proposal
from tools.toolbox import Toolbox

HERS = tuple(order.id for order in SHOP.orders if order.owner == ANNA)


@dataclass(frozen=True)
class Merged:
    """The systems after Anna's record was merged into Boris's, and what she had asked for before."""

    crm: CRM
    orders: Orders
    proposal: Proposal

    @property
    def box(self) -> Toolbox:
        return Toolbox(order_tools(self.orders, PHRASES), crm_tools(self.crm, PHRASES))


def _open(owner_of_hers: object) -> FakeOrders:
    moved = [replace(o, owner=owner_of_hers) if o.owner == ANNA else o for o in SHOP.orders]  # type: ignore[arg-type]
    return FakeOrders(moved, SHOP.products, terms=SHOP.terms, methods={}, now=Clock())


async def _asked(orders: Orders) -> Proposal:
    for number in HERS:
        order = await orders.get(number, owner=ANNA)
        if "address" in order.changes:
            return await orders.propose_cancel(number, owner=ANNA, reason="")
    raise AssertionError("Anna has no order that may be cancelled")


@pytest.fixture(params=["fake", "sqlite_shop", pytest.param("postgres_shop", marks=pytest.mark.postgres)])
async def merged(request: pytest.FixtureRequest) -> AsyncIterator[Merged]:
    if request.param == "fake":
        proposal = await _asked(_open(ANNA))
        crm = FakeCRM([one for one in SHOP.customers if one.id != ANNA], now=Clock())
        yield Merged(crm=crm, orders=_open(BORIS), proposal=proposal)
        return
    engine = create_async_engine(request.getfixturevalue(request.param))
    orders = EmbeddedOrders(engine, now=Clock())
    proposal = await _asked(orders)
    async with engine.begin() as connection:
        for table in (t.orders, t.saved, t.addresses):
            await connection.execute(update(table).where(table.c.owner == ANNA).values(owner=BORIS))
        await connection.execute(delete(t.homes).where(t.homes.c.owner == ANNA))
        await connection.execute(delete(t.customers).where(t.customers.c.id == ANNA))
    yield Merged(crm=EmbeddedCRM(engine, now=Clock()), orders=orders, proposal=proposal)
    await engine.dispose()


async def test_the_old_record_is_nobody_by_whatever_found_it(merged: Merged) -> None:
    anna = next(one for one in SHOP.customers if one.id == ANNA)
    assert anna.address is not None
    for seek in (
        merged.crm.customer(ANNA),
        merged.crm.find_by_email(anna.email),
        merged.crm.find_by_name(anna.name, postcode=anna.address.postcode),
    ):
        with pytest.raises(NotFound):
            await seek
    assert (await merged.crm.customer(BORIS)).id == BORIS


async def test_a_session_of_the_old_record_sees_nothing_of_what_was_moved(merged: Merged) -> None:
    assert await merged.orders.list(owner=ANNA) == ()
    assert await merged.orders.methods(owner=ANNA) == ()
    foreign = await merged.box.call("order_status", {"order_id": "9998"}, caller(ANNA))
    for number in HERS:
        with pytest.raises(NotFound):
            await merged.orders.get(OrderId(number), owner=ANNA)
        assert await merged.box.call("order_status", {"order_id": number}, caller(ANNA)) == foreign
        assert (await merged.orders.get(OrderId(number), owner=BORIS)).owner == BORIS


async def test_what_was_proposed_to_the_old_record_is_done_for_neither(merged: Merged) -> None:
    with pytest.raises(NotFound):
        await merged.box.execute(merged.proposal, caller(BORIS), key=merged.proposal.id)
    effect = await merged.box.execute(merged.proposal, caller(ANNA), key=merged.proposal.id)
    assert effect.state == "refused"
    number = OrderId(merged.proposal.arguments["order_id"])
    assert (await merged.orders.get(number, owner=BORIS)).status != "cancelled"
