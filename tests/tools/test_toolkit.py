"""A business is one more toolkit in the box; its tools pass the same gate as the shop's."""

import pytest

from tests.tools.shop import PHRASES, fake_orders, toolbox
from tools.orders.functions import order_tools
from tools.toolbox import Toolbox


def test_two_kits_cannot_offer_tools_of_one_name() -> None:
    orders = fake_orders()
    with pytest.raises(ValueError, match="order_status"):
        Toolbox(order_tools(orders, PHRASES), order_tools(orders, PHRASES))


def test_an_empty_box_offers_nothing_and_names_what_it_has() -> None:
    box = Toolbox()
    assert box.tools() == []
    with pytest.raises(KeyError, match="No tool 'order_status'"):
        box.scope("order_status")


def test_a_box_keeps_the_tools_in_the_order_of_its_kits() -> None:
    assert [tool.name for tool in toolbox().tools()][-1] == "change_home_address"
