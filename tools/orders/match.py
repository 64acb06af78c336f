"""Which products fit a customer's words: stems of both languages, weighed by rarity. Pure."""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from Stemmer import Stemmer

from tools.orders.port import Product

MAX_WORDS = 24
_WORD = re.compile(r"[a-zа-я]+|\d+")
_CODE = re.compile(
    r"\b(?P<letters>[a-zа-я]{1,4})\s?-?\s?(?P<digits>\d{2,5})(?:\s?-\s?(?P<variant>[a-z]{1,4}))?\b", re.I
)
_DASHES = re.compile(r"[\u2010-\u2015\u2212\u00ad]")
_LOOKALIKES = str.maketrans("АВСЕНКМОРТХУ", "ABCEHKMOPTXY")
_PREFIX_CHARS = 4
# A product is kept when it explains at least this share of what the best one explains.
_NEAR_BEST = 0.6


def words_of(product: Product) -> tuple[str, ...]:
    """Return the stems a product is found by: names, category, variants and textual attributes."""
    names = [product.title, product.category_title, *(variant.title for variant in product.variants)]
    said = [name.ru for name in names] + [name.en for name in names]
    said += [str(value) for value in product.attributes.values() if isinstance(value, str)]
    return tuple(dict.fromkeys(stem for text in said for stem in stems(text)))


def stems(text: str) -> tuple[str, ...]:
    """Return the stems of a text in order, ё as е, Russian and English words each by their own rules."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")
    return tuple(_stem(word) for word in _WORD.findall(plain))


def query_stems(text: str) -> tuple[str, ...]:
    """Return the distinct stems of a question worth looking up: two letters at least, `MAX_WORDS` at most."""
    return tuple(dict.fromkeys(stem for stem in stems(text[:2000]) if len(stem) > 1))[:MAX_WORDS]


def codes_in(text: str) -> tuple[str, ...]:
    """Return the product and variant codes a text names, canonical: "fn 204 bk" → ("FN-204-BK", "FN-204")."""
    found: list[str] = []
    for match in _CODE.finditer(_DASHES.sub("-", unicodedata.normalize("NFKC", text[:2000]))):
        code = f"{match['letters'].upper().translate(_LOOKALIKES)}-{match['digits']}"
        found += [f"{code}-{match['variant'].upper()}", code] if match["variant"] else [code]
    return tuple(dict.fromkeys(found))


def ranked(asked: Sequence[str], candidates: Mapping[str, Iterable[str]], *, total: int) -> list[str]:
    """Return the codes whose stems fit best, best first.

    `candidates` maps a code to its stems and must hold every product with one of the `asked` stems;
    `total` is the size of the catalogue.
    """
    matches = {
        code: {stem for stem in asked if _has(stem, words)}
        for code, words in ((code, frozenset(words)) for code, words in candidates.items())
    }
    seen = {stem: sum(stem in found for found in matches.values()) for stem in asked}
    weight = {stem: math.log(1 + total / count) for stem, count in seen.items() if count}
    scores = {code: sum(weight[stem] for stem in found) for code, found in matches.items() if found}
    if not scores:
        return []
    best = max(scores.values())
    kept = [code for code, score in scores.items() if score >= _NEAR_BEST * best]
    return sorted(kept, key=lambda code: (-scores[code], code))


def _has(stem: str, words: frozenset[str]) -> bool:
    if stem in words:
        return True
    return len(stem) >= _PREFIX_CHARS and any(word.startswith(stem) for word in words)


@lru_cache(maxsize=8192)
def _stem(word: str) -> str:
    cyrillic = "а" <= word[0] <= "я"
    return str((_RUSSIAN if cyrillic else _ENGLISH).stemWord(word))


_RUSSIAN = Stemmer("russian")
_ENGLISH = Stemmer("english")
