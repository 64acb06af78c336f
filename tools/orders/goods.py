"""Which pieces of an order are meant and what they are changed for: pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tools.bilingual import Bilingual
from tools.errors import Rejected
from tools.orders.port import Order, OrderItem, Product, Variant

MAX_PIECES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One piece of a line of an order, or what it becomes."""

    code: str
    title: Bilingual
    price: Decimal
    product: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """Pieces and what each becomes; `difference` is what the new ones cost more."""

    pairs: tuple[tuple[Piece, OrderItem], ...]
    difference: Decimal

    def said(self, language: str) -> str:
        """Return the pairs as words: "black → white; …"."""
        return "; ".join(
            f"{getattr(old.title, language)} → {getattr(new.title, language)}" for old, new in self.pairs
        )


def pieces(order: Order, codes: Sequence[str]) -> tuple[Piece, ...]:
    """Return the pieces of the order that `codes` name; `Rejected` with "nothing_chosen" or "not_in_order"."""
    if not codes or len(codes) > MAX_PIECES:
        raise Rejected("nothing_chosen")
    held = {
        item.code: Piece(code=item.code, title=item.title, price=item.price, product=item.product)
        for item in reversed(order.items)
    }
    there = Counter({code: 0 for code in held})
    for item in order.items:
        there[item.code] += item.quantity
    if any(wanted > there[code] for code, wanted in Counter(codes).items()):
        raise Rejected("not_in_order")
    return tuple(held[code] for code in codes)


def swapped(
    order: Order,
    *,
    codes: Sequence[str],
    new_codes: Sequence[str],
    catalogue: Mapping[str, Product],
    to_itself: bool,
) -> Swap:
    """Return what the pieces become; `catalogue` holds the products of the order's lines.

    `Rejected`: as `pieces`; "uneven"; "same_variant" unless `to_itself`; "no_such_variant"; "out_of_stock".
    """
    old = pieces(order, codes)
    if len(codes) != len(new_codes):
        raise Rejected("uneven")
    wanted: Counter[str] = Counter()
    pairs: list[tuple[Piece, OrderItem]] = []
    for piece, new_code in zip(old, new_codes, strict=True):
        if piece.code == new_code and not to_itself:
            raise Rejected("same_variant")
        product = catalogue.get(piece.product)
        variant = next((v for v in product.variants if v.code == new_code), None) if product else None
        if product is None or variant is None:
            raise Rejected("no_such_variant")
        wanted[new_code] += 1
        if variant.stock < (wanted[new_code] if variant.tracked else 1):
            raise Rejected("out_of_stock")
        pairs.append((piece, line_of(product, variant)))
    difference = sum((new.price - piece.price for piece, new in pairs), Decimal(0))
    return Swap(pairs=tuple(pairs), difference=difference)


def line_of(product: Product, variant: Variant) -> OrderItem:
    """Return one piece of a variant as a line of an order; its kind is named only where there is a choice."""
    title = product.title
    if len(product.variants) > 1:
        title = Bilingual(
            ru=f"{title.ru}, {variant.title.ru}",
            en=f"{title.en}, {variant.title.en}",
        )
    return OrderItem(
        code=variant.code,
        title=title,
        quantity=1,
        price=variant.price,
        product=product.code,
        options=variant.options,
    )


def exchanged(items: Sequence[OrderItem], swap: Swap) -> tuple[OrderItem, ...]:
    """Return the lines with each piece in its new place: the line itself, or a new one after it when more remain."""
    lines: list[tuple[OrderItem, bool]] = [(item, False) for item in items]
    for piece, new in swap.pairs:
        at = next(n for n, (line, fresh) in enumerate(lines) if line.code == piece.code and not fresh)
        rest = lines[at][0].quantity - 1
        kept = [(replace(lines[at][0], quantity=rest), False)] if rest else []
        lines[at : at + 1] = [*kept, (new, True)]
    return tuple(line for line, _ in lines)
