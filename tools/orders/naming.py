"""What a customer's words mean: a line of their order, a variant of a product, one of their ways to pay. Pure.

A code or an id is taken as it is, known or not: the rules say what is wrong with it, in their order. Words must fit
exactly one thing; `Rejected` says what is to be asked: "which_items", "which_variant", "which_method".
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from tools.bilingual import Bilingual
from tools.context import MethodId
from tools.errors import Rejected
from tools.orders.match import codes_in, query_stems, shared, stems
from tools.orders.port import Order, OrderItem, PaymentMethod, Product, SavedMethod, Variant

T = TypeVar("T")
_CODE_DIGITS = 3
_AND = re.compile(r"\s+(?:и|and)\s+|,\s*", re.IGNORECASE)


def meant_pieces(order: Order, said: Sequence[str]) -> tuple[str, ...]:
    """Return a code for each piece that is meant: of what was said, or of the whole order when nothing was."""
    if not said:
        return tuple(code for item in order.items for code in _all_of(item))
    codes: list[str] = []
    for text in said:
        known = _code(text, [item.code for item in order.items])
        if known is not None:
            codes.append(known)
            continue
        lines = _meant_lines(order, text)
        codes += [code for line in lines for code in _all_of(line)] if lines else [text]
    return tuple(codes)


def _meant_lines(order: Order, text: str) -> list[OrderItem]:
    """Return the line that is meant, or the lines when several are named: «лампу и фонарь»."""
    by_product = [item for item in order.items if item.product in codes_in(text)]
    if by_product:
        return by_product
    named = [(item, _named(item.title)) for item in order.items]
    parts = [part for part in _AND.split(text) if part.strip()]
    try:
        whole = _only(text, named, unclear="which_items")
    except Rejected:
        found = [_only(part, named, unclear="which_items") for part in parts if len(parts) > 1]
        if not found or not all(found):
            raise
        return [item for item in order.items if any(item is line for line in found)]
    return [whole] if whole is not None else []


def meant_variants(
    order: Order, codes: Sequence[str], said: Sequence[str], catalogue: Mapping[str, Product]
) -> tuple[str, ...]:
    """Return the code of what each piece is to become; one wish said for several pieces is meant for all of them.

    `catalogue` holds the products of the order's lines.
    """
    wishes = list(said) * len(codes) if len(said) == 1 and not _is_code(said[0]) else list(said)
    return tuple(
        _meant_variant(wish, _product(order, codes[n], catalogue) if n < len(codes) else None)
        for n, wish in enumerate(wishes)
    )


def meant_method(
    said: str, methods: Sequence[SavedMethod], words: Mapping[PaymentMethod, Sequence[str]]
) -> MethodId | None:
    """Return the saved way to pay that is meant, None when nothing was said. `words` are what each kind is called."""
    text = said.strip()
    if not text:
        return None
    if text in [one.id for one in methods] or "_" in text:
        return MethodId(text)
    digits = [word for word in stems(text) if word.isdigit()]
    fitting = [one for one in methods if digits and one.masked.strip("·•* ") in digits]
    if not fitting and not digits:
        fitting = _called(frozenset(stems(text)), methods, words)
    if len(fitting) > 1:
        raise Rejected("which_method")
    return fitting[0].id if fitting else MethodId(text)


def _called(
    asked: frozenset[str],
    methods: Sequence[SavedMethod],
    words: Mapping[PaymentMethod, Sequence[str]],
) -> list[SavedMethod]:
    """Return the methods called so: by brand, else by the first kind of `words` that has one of the words.

    A gift card is a card, too: the kind with the telling word comes first.
    """
    branded = [one for one in methods if asked & frozenset(stems(one.brand))]
    if branded:
        return branded
    for kind, names in words.items():
        if asked & {stem for name in names for stem in stems(name)}:
            return [one for one in methods if one.method == kind]
    return []


def _meant_variant(text: str, product: Product | None) -> str:
    if product is None or _is_code(text):
        return _code(text, [variant.code for variant in product.variants] if product else ()) or text
    found = _only(
        text, [(variant, _options(variant)) for variant in product.variants], unclear="which_variant"
    )
    return found.code if found else text


def _product(order: Order, code: str, catalogue: Mapping[str, Product]) -> Product | None:
    return next((catalogue.get(item.product) for item in order.items if item.code == code), None)


def _only(text: str, named: Sequence[tuple[T, Iterable[str]]], *, unclear: str) -> T | None:
    """Return the one thing that most of the words fit, None when none fits any."""
    asked = query_stems(text)
    fits = [(shared(asked, words), thing) for thing, words in named]
    best = max((fit for fit, _ in fits), default=0)
    found = [thing for fit, thing in fits if fit == best]
    if best and len(found) > 1:
        raise Rejected(unclear)
    return found[0] if best else None


def _code(text: str, known: Iterable[str]) -> str | None:
    """Return the code a text is: a known one however it is written, or one nobody knows; None when it is words."""
    plain = text.strip()
    by_name = {code.upper(): code for code in known}
    for spelt in (plain.upper(), *codes_in(plain)):
        if spelt in by_name:
            return by_name[spelt]
    return plain if _is_code(plain) else None


def _is_code(text: str) -> bool:
    plain = text.strip()
    return " " not in plain and sum(mark.isdigit() for mark in plain) >= _CODE_DIGITS


def _named(title: Bilingual) -> tuple[str, ...]:
    return (*stems(title.ru), *stems(title.en))


def _options(variant: Variant) -> tuple[str, ...]:
    chosen = (stem for value in variant.options.values() for stem in stems(value))
    return (*_named(variant.title), *chosen)


def _all_of(item: OrderItem) -> list[str]:
    return [item.code] * item.quantity
