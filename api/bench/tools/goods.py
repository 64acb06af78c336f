"""A catalogue of any size out of a shop's own products: each of them again and again, with a model number of its own."""

from collections.abc import Sequence
from dataclasses import replace

from tools.bilingual import Bilingual
from tools.orders.port import Product, Variant

LETTERS = "BCDFGHJKLM"
"""First letters of the codes; each stands before up to 90,000 numbers."""


def catalogue(known: Sequence[Product], *, size: int) -> tuple[Product, ...]:
    """Return `size` products; the same shop and size give the same ones. `known` holds at least one."""
    return tuple(_again(known[n % len(known)], n) for n in range(size))


def _again(product: Product, n: int) -> Product:
    code = f"{LETTERS[n // 90_000 % len(LETTERS)]}X-{10_000 + n % 90_000}"
    model = f" {100 + n}"
    return replace(
        product,
        code=code,
        title=Bilingual(ru=product.title.ru + model, en=product.title.en + model),
        variants=tuple(_kind(variant, code, k) for k, variant in enumerate(product.variants)),
        reviews=(),
    )


def _kind(variant: Variant, code: str, k: int) -> Variant:
    return replace(variant, code=f"{code}-{chr(ord('A') + k % 26)}{chr(ord('A') + k // 26 % 26)}")
