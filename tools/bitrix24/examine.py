"""Whether a portal answers and lets its webhook do the work: what `mayak doctor` tells of it."""

from tools.bitrix24.catalogue import Bitrix24Catalogue
from tools.bitrix24.client import Bitrix24, Call, listed
from tools.bitrix24.customers import ContactLink
from tools.bitrix24.rows import DEAL
from tools.errors import Unavailable


async def examined(portal: Bitrix24, *, link: ContactLink, catalogue: Bitrix24Catalogue, orders: bool) -> str:
    """Return a line on what was found. Raises `Unavailable` with its remedy where something needed is barred."""
    granted = {str(one) for one in listed((await portal.ask(Call(method="scope", params={}))).value, "scope")}
    needed = ["crm", *(("sale", "catalog") if orders else ())]
    missing = [scope for scope in needed if scope not in granted]
    if missing:
        raise Unavailable(
            f"Bitrix24's webhook lacks the scopes {', '.join(missing)}",
            remedy="Edit the incoming webhook in Bitrix24 and add them; its key changes with it.",
        )
    await link.examined(portal)
    if orders:
        await _orders(portal, catalogue)
    more = sorted(granted - {"crm", "sale", "catalog", "user_brief", "basic"})
    return f"scopes {', '.join(needed)}" + (f"; not needed: {', '.join(more)}" if more else "")


async def _orders(portal: Bitrix24, catalogue: Bitrix24Catalogue) -> None:
    profile = (await portal.ask(Call(method="profile", params={}))).value
    if not isinstance(profile, dict) or profile.get("ADMIN") is not True:
        raise Unavailable(
            "Bitrix24's webhook was not made by an administrator",
            remedy="Bitrix24 shows orders to administrators' webhooks only: let one make it.",
        )
    for method, within in (
        ("sale.order.list", "orders"),
        ("sale.property.list", "properties"),
        ("crm.orderentity.list", "orderEntity"),
    ):
        await portal.ask(Call(method=method, params={"filter": {}}, within=within))
    deals = {"entityTypeId": DEAL, "select": ["id"]}
    await portal.ask(Call(method="crm.item.list", params=deals, within="items"))
    await catalogue.examined()
