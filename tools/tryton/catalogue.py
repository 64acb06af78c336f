"""The goods a Tryton sells: found by code or by a customer's words, with list prices and what the warehouses hold."""

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from tools.bilingual import Bilingual
from tools.context import Language
from tools.errors import NotFound
from tools.orders.match import codes_in, prefix, query_stems, ranked, words_of
from tools.orders.port import Product, Variant
from tools.tryton.client import Domain, Tryton
from tools.tryton.rows import TemplateRow, VariantRow

_SOLD: Domain = [["salable", "=", True], ["type", "=", "goods"]]
_FIELDS = ("code", "name", "list_price", "categories.code", "categories.name")
_VARIANT = ("products.code", "products.name", "products.list_price")
_CANDIDATES = 150
_CODE = re.compile(r"[^\W_][\w./-]*\d[\w./-]*|\d[\w./-]*[^\W\d_][\w./-]*")
_LANGUAGES: tuple[Language, Language] = ("ru", "en")


class _Id(BaseModel):
    id: int


class TrytonCatalogue:
    """Salable goods that have a code and a price; `now` tells the day stock is counted for."""

    def __init__(self, tryton: Tryton, *, now: Callable[[], datetime]) -> None:
        self._tryton, self._now = tryton, now

    async def products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        """See `tools.orders.port.Orders.products`."""
        named = await self._named(text)
        if named:
            return await self._stocked(named[:limit])
        asked = query_stems(text)
        if not asked:
            return ()
        found = await self._read(await self._candidates(asked))
        words = {product.code: words_of(product) for product in found}
        by_code = {product.code: product for product in found}
        best = ranked(asked, words, total=max(len(words), 1))
        return await self._stocked([by_code[code] for code in best[:limit]])

    async def product(self, code: str) -> Product:
        """See `tools.orders.port.Orders.product`."""
        named = await self._named(code)
        if not named:
            raise NotFound()
        return (await self._stocked(named[:1]))[0]

    async def _named(self, text: str) -> list[Product]:
        codes = _codes(text)
        if not codes:
            return []
        hit = ["OR", ["code", "in", codes], ["products.code", "in", codes]]
        rows = await self._ids([*_SOLD, hit], language="ru")
        return sorted(await self._read(rows), key=lambda product: product.code)

    async def _candidates(self, asked: Sequence[str]) -> set[int]:
        like: list[Any] = ["OR"]
        for stem in asked:
            # ё is one letter to customers and another to a database; SQLite knows no case but that of ASCII.
            start = prefix(stem).replace("е", "_")
            for pattern in dict.fromkeys((f"%{start}%", f"%{start.capitalize()}%")):
                like += [["name", "ilike", pattern], ["categories.name", "ilike", pattern]]
        found = await asyncio.gather(*(self._ids([*_SOLD, like], language=one) for one in _LANGUAGES))
        return set().union(*found)

    async def _ids(self, domain: Domain, *, language: Language) -> set[int]:
        rows = await self._tryton.search(
            _Id, "product.template", domain, fields=["id"], limit=_CANDIDATES, language=language
        )
        return {row.id for row in rows}

    async def _read(self, ids: Iterable[int]) -> list[Product]:
        """Return the products of these templates, without their stock."""
        chosen = [["id", "in", sorted(ids)]]
        if not chosen[0][2]:
            return []
        russian, english = await asyncio.gather(
            *(
                self._tryton.search(
                    TemplateRow,
                    "product.template",
                    chosen,
                    fields=[*_FIELDS, *_VARIANT],
                    limit=2 * _CANDIDATES,
                    language=one,
                )
                for one in _LANGUAGES
            )
        )
        other = {row.id: row for row in english}
        found = (_product(row, other.get(row.id, row)) for row in russian)
        return [product for product in found if product is not None]

    async def _stocked(self, products: Sequence[Product]) -> tuple[Product, ...]:
        """Return the products with what may still be promised of them in all warehouses."""
        if not products:
            return ()
        warehouses = await self._tryton.search(
            _Id, "stock.location", [["type", "=", "warehouse"]], fields=["id"]
        )
        codes = [variant.code for product in products for variant in product.variants]
        rows = await self._tryton.search(
            VariantRow,
            "product.product",
            [["code", "in", codes]],
            fields=["code", "name", "forecast_quantity"],
            limit=len(codes) + 1,
            context={"locations": [row.id for row in warehouses], "stock_date_end": self._now().date()},
        )
        stock = {row.code: max(0, int(row.forecast_quantity or 0)) for row in rows}
        return tuple(_with_stock(product, stock) for product in products)


def _codes(text: str) -> list[str]:
    """Return the codes a text may name: as a shop writes them, and as they stand there."""
    plain = [found for word in _CODE.findall(text[:500]) for found in (word, word.upper())]
    return list(dict.fromkeys([*codes_in(text), *plain]))[:40]


def _product(row: TemplateRow, english: TemplateRow) -> Product | None:
    priced = [(variant, _price(row, variant)) for variant in row.products]
    variants = tuple(
        Variant(code=one.code, title=Bilingual(ru=one.code, en=one.code), price=price, stock=0)
        for one, price in priced
        if one.code and price is not None
    )
    if not variants:
        return None
    kind, named = Bilingual(ru="", en=""), {one.id: one.name for one in english.categories}
    for first in row.categories[:1]:
        kind = Bilingual(ru=first.name, en=named.get(first.id, first.name))
    return Product(
        code=row.code or variants[0].code,
        category=(row.categories[0].code or row.categories[0].name) if row.categories else "",
        title=Bilingual(ru=row.name, en=english.name),
        category_title=kind,
        attributes={},
        variants=variants,
    )


def _price(row: TemplateRow, variant: VariantRow) -> Decimal | None:
    return variant.list_price if variant.list_price is not None else row.list_price


def _with_stock(product: Product, stock: dict[str | None, int]) -> Product:
    return replace(
        product,
        variants=tuple(replace(one, stock=stock.get(one.code, 0)) for one in product.variants),
    )
