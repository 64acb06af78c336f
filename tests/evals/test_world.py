"""The union of the cases' worlds, in the form the shop's own loader reads."""

import json
from pathlib import Path

import pytest

from evals.case import CASES, Case, check_cases, read_cases
from evals.marked import BadCases
from evals.run import world_of
from tools.shop import read_shop

CASE = """
  - id: {id}
    language: ru
    world: {world}
    says: ["?"]
    expect: {{outcome: answered}}
    why: It is.
"""


def cases_with(folder: Path, *worlds: str) -> tuple[Case, ...]:
    rows = [CASE.format(id=f"case-{n}", world=world) for n, world in enumerate(worlds, start=1)]
    (folder / "some.yaml").write_text("suite: smoke\ncases:" + "".join(rows), "utf-8")
    cases, faults = check_cases(folder)
    assert not faults
    return cases


def test_worlds_of_all_cases_are_joined(tmp_path: Path) -> None:
    cases = cases_with(
        tmp_path,
        '{orders: {"77": {owner: boris, status: shipped}}, customers: {kim: {name: "Kim"}}}',
        '{orders: {"78": {owner: kim, status: paid}}, knowledge: {note: {title: "Note", text: "# Note"}}}',
    )
    world = world_of(cases)
    assert set(world["orders"]) == {"77", "78"}
    assert world["customers"]["kim"]["email"] == "kim@example.com"
    assert world["knowledge"]["note"]["audience"] == "customer"


def test_the_same_row_twice_is_one_row(tmp_path: Path) -> None:
    row = '{orders: {"77": {owner: boris, status: shipped}}}'
    assert list(world_of(cases_with(tmp_path, row, row))["orders"]) == ["77"]


def test_rows_that_clash_are_refused_with_both_places(tmp_path: Path) -> None:
    cases = cases_with(
        tmp_path,
        '{orders: {"77": {owner: boris, status: shipped}}}',
        '{orders: {"77": {owner: anna, status: shipped}}}',
    )
    with pytest.raises(
        BadCases, match=r"some\.yaml:12: orders `77` of case `case-2` differs from the one at .*some\.yaml:5"
    ):
        world_of(cases)


def test_a_fault_is_read_strictly_and_belongs_to_one_customer(tmp_path: Path) -> None:
    world = world_of(cases_with(tmp_path, "{faults: {kim: {orders: [ok, slow], without: [delivery]}}}"))
    assert world["faults"] == {"kim": {"orders": ["ok", "slow"], "crm": [], "without": ["delivery"]}}
    for wrong in ("{orders: down}", "{crm: [ok, nothing]}", "{without: [weather]}", "{mail: slow}"):
        rows = CASE.format(id="case-1", world=f"{{faults: {{kim: {wrong}}}}}")
        (tmp_path / "some.yaml").write_text("suite: smoke\ncases:" + rows, "utf-8")
        assert check_cases(tmp_path)[1], wrong


def test_a_day_is_written_as_an_iso_date(tmp_path: Path) -> None:
    world = world_of(
        cases_with(tmp_path, '{knowledge: {n: {title: "N", text: "# N", valid_until: 2026-01-31}}}')
    )
    assert world["knowledge"]["n"]["valid_until"] == "2026-01-31"
    assert world["knowledge"]["n"]["valid_from"] is None


def test_the_rows_of_the_built_in_cases_are_what_the_shop_reads(tmp_path: Path) -> None:
    world = world_of(read_cases(CASES))
    rows = {kind: list(world[kind].values()) for kind in ("customers", "orders", "products")}
    title = {"ru": "Вид", "en": "Kind"}
    catalogue = {
        "categories": {row["category"]: title for row in rows["products"]},
        "products": rows["products"],
    }
    for name, body in (
        ("customers", {"customers": rows["customers"]}),
        ("products", catalogue),
        ("orders", {"orders": rows["orders"]}),
    ):
        (tmp_path / f"{name}.json").write_text(json.dumps(body), "utf-8")
    shop = read_shop(tmp_path)
    assert len(shop.customers) == len(world["customers"]) > 0
    assert len(shop.products) == len(world["products"]) > 0
    assert len(shop.orders) == len(world["orders"]) > 0
    assert all(order.total == order.payment.amount for order in shop.orders)
