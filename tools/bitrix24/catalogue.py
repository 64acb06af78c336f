"""The goods of a Bitrix24 catalogue: found by their external code or a customer's words, with base prices and stock.

A product is bought as it is or as one of its offers, which stand in a catalogue of their own. Goods have a name in one
language; their code is the external one (`xmlId`), which catalogues exchanged with an accounting program bring along.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import BaseModel

from tools.bilingual import Bilingual
from tools.bitrix24.client import Bitrix24, Call, read_as
from tools.bitrix24.rows import CatalogRow, GoodsRow, PriceRow, PriceTypeRow, SectionRow
from tools.errors import NotFound, Unavailable
from tools.orders.match import codes_in, prefix, query_stems, ranked, shared, stems, words_of
from tools.orders.port import Product, Variant

Row = TypeVar("Row", bound=BaseModel)

_GOODS = ["id", "iblockId", "name", "xmlId", "iblockSectionId", "active", "available", "quantity", "type"]
_FIELDS = [*_GOODS, "quantityTrace"]
_CODE = re.compile(r"[^\W_][\w./-]*\d[\w./-]*|\d[\w./-]*[^\W\d_][\w./-]*")
_MOST_ROWS, _MOST_SECTIONS, _MOST_STARTS, _CANDIDATES = 500, 1000, 40, 150
_WITH_OFFERS = frozenset({3, 6})
"""The kinds of products that are only bought as one of their offers, 6 has none yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shelves:
    """Where goods stand: the catalogue, that of its offers (None without), sections by id, the base kind of prices."""

    goods: int
    offers: int | None
    sections: Mapping[int, SectionRow]
    prices: int


class Bitrix24Catalogue:
    """Active goods that have a base price in one currency; `catalog` is the catalogue's id, 0 for the only one."""

    def __init__(self, portal: Bitrix24, *, catalog: int = 0) -> None:
        self._portal, self._catalog = portal, catalog
        self._known: _Shelves | None = None

    async def products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        """See `tools.orders.port.Orders.products`."""
        codes = _codes(text)
        asked = query_stems(text)
        if not codes and not asked:
            return ()
        named = await self._named(codes)
        if named:
            return tuple(named[:limit])
        if not asked:
            return ()
        found = await self._read(await self._candidates(asked))
        words = {product.code: words_of(product) for product in found}
        by_code = {product.code: product for product in found}
        best = ranked(asked, words, total=max(len(words), 1))
        return tuple(by_code[code] for code in best[:limit])

    async def product(self, code: str) -> Product:
        """See `tools.orders.port.Orders.product`."""
        named = await self._named(_codes(code))
        if not named:
            raise NotFound()
        return named[0]

    async def examined(self) -> None:
        """Find the shelves anew. Raises `Unavailable` where the catalogue cannot be told, or is barred."""
        self._known = None
        await self._shelves()

    async def _named(self, codes: Sequence[str]) -> list[Product]:
        if not codes:
            return []
        shelves = await self._shelves()
        goods = await self._goods(shelves, {"xmlId": list(codes)})
        offered = await self._offers(shelves, {"xmlId": list(codes)})
        parents = {id for offer in offered if (id := _parent(offer))} - {row.id for row in goods}
        goods += await self._goods(shelves, {"id": sorted(parents)}) if parents else []
        return sorted(await self._read(goods), key=lambda product: product.code)

    async def _candidates(self, asked: Sequence[str]) -> list[GoodsRow]:
        shelves = await self._shelves()
        starts = list(dict.fromkeys(spelling for stem in asked for spelling in _spellings(prefix(stem))))[
            :_MOST_STARTS
        ]
        kinds = [id for id, one in shelves.sections.items() if shared(asked, stems(one.name))]
        hits: list[Mapping[str, Any]] = [
            *({"%name": start} for start in starts),
            *({"iblockSectionId": id} for id in kinds),
        ]
        calls = [call for hit in hits for call in _listings(shelves.goods, hit)]
        found: dict[int, GoodsRow] = {}
        for answer in await self._portal.ask_all(calls):
            for row in answer.value or ():
                goods = read_as(GoodsRow, row, what="product")
                found.setdefault(goods.id, goods)
        return list(found.values())[:_CANDIDATES]

    async def _read(self, goods: Iterable[GoodsRow]) -> list[Product]:
        """Return the products with their offers, prices and stock."""
        rows = {row.id: row for row in goods if row.active == "Y"}
        if not rows:
            return []
        shelves = await self._shelves()
        parents = sorted(id for id, row in rows.items() if row.type in _WITH_OFFERS)
        offers = await self._offers(shelves, {"parentId": parents}) if parents else []
        bought = [*(row for row in rows.values() if row.type not in _WITH_OFFERS), *offers]
        prices = await self._prices(shelves, [one.id for one in bought])
        variants: dict[int, list[Variant]] = {}
        for one in sorted(bought, key=lambda row: row.id):
            if one.id in prices and one.active == "Y":
                variants.setdefault(_parent(one) or one.id, []).append(_variant(one, prices[one.id]))
        kinds = shelves.sections
        return [_product(rows[id], found, kinds) for id, found in variants.items() if id in rows]

    async def _goods(self, shelves: _Shelves, wanted: Mapping[str, Any]) -> list[GoodsRow]:
        lists = await asyncio.gather(
            *(self._rows(GoodsRow, call) for call in _listings(shelves.goods, wanted))
        )
        return list({row.id: row for rows in lists for row in rows}.values())

    async def _offers(self, shelves: _Shelves, wanted: Mapping[str, Any]) -> list[GoodsRow]:
        if shelves.offers is None:
            return []
        params = {
            "select": [*_FIELDS, "parentId"],
            "filter": {"iblockId": shelves.offers, "active": "Y", **wanted},
            "order": {"id": "asc"},
        }
        return await self._rows(
            GoodsRow, Call(method="catalog.product.offer.list", params=params, within="offers")
        )

    async def _prices(self, shelves: _Shelves, ids: Sequence[int]) -> Mapping[int, Decimal]:
        """Return the base prices of goods by their ids."""
        found: dict[int, Decimal] = {}
        params = {
            "select": ["id", "productId", "price", "currency"],
            "filter": {"productId": sorted(ids), "catalogGroupId": shelves.prices},
            "order": {"id": "asc"},
        }
        asking = Call(method="catalog.price.list", params=params, within="prices")
        for row in await self._rows(PriceRow, asking):
            # Of several prices by quantity the first is that of one piece.
            found.setdefault(row.product_id, row.price)
        return found

    async def _shelves(self) -> _Shelves:
        """Return where goods stand; asked once."""
        if self._known is None:
            catalogs, kinds = await asyncio.gather(
                self._rows(
                    CatalogRow, _all("catalog.catalog.list", "catalogs", "iblockId", "productIblockId")
                ),
                self._rows(PriceTypeRow, _all("catalog.priceType.list", "priceTypes", "id", "base")),
            )
            goods = [one.iblock_id for one in catalogs if one.product_iblock_id is None]
            chosen = [id for id in goods if self._catalog in (0, id)]
            base = [one.id for one in kinds if one.base == "Y"]
            if len(chosen) != 1 or len(base) != 1:
                raise Unavailable(
                    f"Bitrix24 has the catalogues {goods} and the base kinds of prices {base}",
                    remedy="Set MAYAK_BITRIX24_CATALOG to the id of the catalogue customers buy from.",
                )
            offers = [one.iblock_id for one in catalogs if one.product_iblock_id == chosen[0]]
            self._known = _Shelves(
                goods=chosen[0],
                offers=offers[0] if offers else None,
                sections=await self._sections(chosen[0]),
                prices=base[0],
            )
        return self._known

    async def _sections(self, catalog: int) -> Mapping[int, SectionRow]:
        params = {"select": ["id", "name", "code"], "filter": {"iblockId": catalog}}
        asking = Call(method="catalog.section.list", params=params, within="sections")
        rows = await self._rows(SectionRow, asking, most=_MOST_SECTIONS)
        return {row.id: row for row in rows}

    async def _rows(self, row: type[Row], call: Call, *, most: int = _MOST_ROWS) -> list[Row]:
        return [read_as(row, one, what=call.within) for one in await self._portal.pages(call, most=most)]


def _listings(catalog: int, wanted: Mapping[str, Any]) -> tuple[Call, Call]:
    """Return the questions for goods sold as they are, and for those sold as one of their offers."""
    wanted = {"iblockId": catalog, "active": "Y", **wanted}
    goods = {"select": _FIELDS, "filter": wanted, "order": {"id": "asc"}}
    return (
        Call(method="catalog.product.list", params=goods, within="products"),
        Call(method="catalog.product.sku.list", params={**goods, "select": _GOODS}, within="units"),
    )


def _all(method: str, within: str, *fields: str) -> Call:
    return Call(method=method, params={"select": list(fields)}, within=within)


def _codes(text: str) -> list[str]:
    """Return the codes a text may name: as a shop writes them, and as they stand there."""
    plain = [found for word in _CODE.findall(text[:500]) for found in (word, word.upper())]
    return list(dict.fromkeys([*codes_in(text), *plain]))[:40]


def _spellings(start: str) -> tuple[str, ...]:
    # ё is one letter to customers and another to a database; a word has at most one.
    yo = [f"{start[:n]}ё{start[n + 1 :]}" for n, letter in enumerate(start) if letter == "е"]
    return (start, *yo)


def _parent(row: GoodsRow) -> int | None:
    told = row.parent_id.value if row.parent_id else None
    return int(told) if told is not None and str(told).isdecimal() else None


def _variant(row: GoodsRow, price: Decimal) -> Variant:
    traced = row.quantity_trace != "N"
    stock = max(0, int(row.quantity or 0)) if traced else int(row.available == "Y")
    named = Bilingual(ru=row.name, en=row.name)
    return Variant(code=row.xml_id or str(row.id), title=named, price=price, stock=stock, tracked=traced)


def _product(row: GoodsRow, variants: Sequence[Variant], sections: Mapping[int, SectionRow]) -> Product:
    section = sections.get(row.iblock_section_id or 0)
    kind = section.name if section else ""
    return Product(
        code=row.xml_id or str(row.id),
        category=(section.code or section.name) if section else "",
        title=Bilingual(ru=row.name, en=row.name),
        category_title=Bilingual(ru=kind, en=kind),
        attributes={},
        variants=tuple(variants),
    )
