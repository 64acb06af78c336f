"""A customer deleted from the register while their conversation goes on: everything of theirs is absent, the rest works."""

from pathlib import Path

import pytest
from sqlalchemy import delete, select

from tests.api.identity_desk import ALLOW, Town, open_town, settings_of
from tools import tables as t
from tools.context import CustomerId

HERS = "c-003"


async def erase(town: Town) -> str:
    """Delete Vera with all that is hers, as a register does; return the number of an order she had."""
    async with town.building.engine.begin() as connection:
        mine = select(t.orders.c.id).where(t.orders.c.owner == HERS)
        number = str((await connection.execute(mine.order_by(t.orders.c.id))).scalars().first())
        for table in [one for one in t.metadata.tables.values() if one.name.startswith("shop_")]:
            if "order_id" in table.c:
                await connection.execute(delete(table).where(table.c.order_id.in_(mine)))
        for table in (t.orders, t.saved, t.homes, t.addresses):
            await connection.execute(delete(table).where(table.c.owner == HERS))
        await connection.execute(delete(t.customers).where(t.customers.c.id == HERS))
    return number


@pytest.mark.parametrize("language", ["ru", "en"])
async def test_she_hears_of_her_order_what_anybody_hears_of_none_and_the_audit_forgets_her(
    tmp_path: Path, language: str
) -> None:
    async with open_town(settings_of(tmp_path / "town")) as town:
        visit = await town.visit(language=language)
        await visit.say(await visit.coded("vera@example.com"))
        await visit.say("Где мой заказ 1?" if language == "ru" else "Where is my order 1?")
        await visit.say(**ALLOW)
        assert (await visit.state()).customer_id == HERS
        number = await erase(town)
        ask = "Где мой заказ {}?" if language == "ru" else "Where is my order {}?"
        hers, nobodys = [await visit.say(ask.format(one)) for one in (number, "9998")]
        assert hers["tools"][0]["name"] == "order_status"
        assert (hers["outcome"], hers["text"].replace(number, "N")) == (
            nobodys["outcome"],
            nobodys["text"].replace("9998", "N"),
        )
        listed = await visit.say("Покажи мои заказы" if language == "ru" else "Show my orders")
        assert number not in listed["text"]
        public = await visit.say("Сколько стоит FN-104?" if language == "ru" else "How much is FN-104?")
        assert public["outcome"] == "answered"
        assert "FN-104" in public["text"]
        trail = town.building.records.trail
        used = [line.fields for line in await trail.listed(act="tool") if line.fields]
        assert {fields.detail["tool"] for fields in used} == {"order_status", "list_orders"}
        assert {fields.about for fields in used} == {f"customer:{HERS}"}
        assert all(isinstance(fields.detail["consent"], int) for fields in used)
        assert await trail.forget(CustomerId(HERS)) > len(used)
        left = await trail.listed()
        assert visit.id not in str(left)
        assert {line.fields.act for line in left if line.fields} == {"erased", "policy"}
        assert (await trail.verified()).holds
