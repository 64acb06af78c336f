"""Whether a Tryton answers and lets its bot do the work: what `mayak doctor` tells of it."""

from pydantic import BaseModel

from tools.errors import Declined, Unavailable
from tools.tryton.client import NAME, Tryton
from tools.tryton.rows import EXTRAS, SALE_FIELDS, SaleRow

SERIES = "8.2"
"""The series the adapters were proved with."""


class _Any(BaseModel):
    id: int


async def examined(tryton: Tryton, *, orders: bool, customers: bool) -> str:
    """Return a line on what was found. Raises `Unavailable` with its remedy where something needed is barred."""
    series = await _series(tryton)
    needed = ["party.party"] if customers else []
    if orders:
        needed += [
            "party.party",
            "stock.shipment.out",
            "product.template",
            "product.product",
            "stock.location",
            "party.address",
        ]
        await tryton.search(SaleRow, "sale.sale", [], fields=[*SALE_FIELDS, "party.active"], limit=1)
    for model in dict.fromkeys(needed):
        await tryton.search(_Any, model, [], fields=["id"], limit=1)
    missing = [f"{model}.{name}" for model, name, _ in EXTRAS if not await tryton.knows(model, name)]
    found = f"series {series}" + ("" if series == SERIES else f", proved with {SERIES}")
    without = f"; without {', '.join(missing)}" if orders and missing else ""
    return f"{found}{without}"


async def _series(tryton: Tryton) -> str:
    asked = {"id": 1, "method": "common.server.version", "params": []}
    try:
        answer = await tryton.system.read(f"{tryton.url}/rpc/", body=asked)
    except Declined as refusal:
        raise Unavailable(str(refusal), remedy="Look at MAYAK_TRYTON_URL: no Tryton is there.") from refusal
    series = answer.get("result") if isinstance(answer, dict) else None
    if not isinstance(series, str):
        raise Unavailable(f"{NAME} did not say its version", remedy="Look at MAYAK_TRYTON_URL.")
    return series[:20]
