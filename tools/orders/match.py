"""Which products fit a customer's words: stems of both languages, weighed by rarity. Pure."""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache

from Stemmer import Stemmer

from tools.orders.port import Product
from tools.phrases import LANGUAGES, Phrases
from tools.texts import TEXTS

MAX_WORDS = 24
_WORD = re.compile(r"[a-zа-я]+|\d+")
_CODE = re.compile(
    r"\b(?P<letters>[a-zа-я]{1,4})\s?-?\s?(?P<digits>\d{2,5})(?:\s?-\s?(?P<variant>[a-z]{1,4}))?\b", re.I
)
# A shop may number its goods: a number too long to be an amount or a measure is taken for one.
_NUMBERED = re.compile(r"(?<![\w-])\d{7,14}(?![\w-])")
_DASHES = re.compile(r"[\u2010-\u2015\u2212\u00ad]")
_LOOKALIKES = str.maketrans("АВСЕНКМОРТХУ", "ABCEHKMOPTXY")
DIVIDER = "|"
_PREFIX_CHARS = 4
_SHORTEST = 2
_LONG_PREFIX = 5
# A word of the category or of an attribute tells less than one of the name.
_ELSEWHERE = 0.6
# A product is kept when it explains at least this share of what the best one explains.
_NEAR_BEST = 0.6


def words_of(product: Product) -> tuple[str, ...]:
    """Return the stems a product is found by: those of its names, `DIVIDER`, those of everything else said of it."""
    others = [product.category_title, *(variant.title for variant in product.variants)]
    about = [said for name in others for said in (name.ru, name.en)]
    about += [str(value) for value in product.attributes.values() if isinstance(value, str)]
    named = dict.fromkeys(stem for said in (product.title.ru, product.title.en) for stem in stems(said))
    rest = dict.fromkeys(stem for said in about for stem in stems(said))
    return (*named, DIVIDER, *(stem for stem in rest if stem not in named))


def stems(text: str) -> tuple[str, ...]:
    """Return the stems of a text in order, ё as е, Russian and English words each by their own rules."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")
    return tuple(_stem(word) for word in _WORD.findall(plain))


def query_stems(text: str) -> tuple[str, ...]:
    """Return the distinct stems of a question that can tell one product from another, `MAX_WORDS` at most."""
    asked = (stem for stem in stems(text[:2000]) if stem.isdigit() or len(stem) > _SHORTEST)
    return tuple(dict.fromkeys(stem for stem in asked if stem not in _ignored()))[:MAX_WORDS]


def codes_in(text: str) -> tuple[str, ...]:
    """Return the product and variant codes a text names, canonical: "fn 204 bk" → ("FN-204-BK", "FN-204")."""
    found: list[str] = []
    plain = _DASHES.sub("-", unicodedata.normalize("NFKC", text[:2000]))
    for match in _CODE.finditer(plain):
        code = f"{match['letters'].upper().translate(_LOOKALIKES)}-{match['digits']}"
        found += [f"{code}-{match['variant'].upper()}", code] if match["variant"] else [code]
    return tuple(dict.fromkeys([*found, *_NUMBERED.findall(plain)]))


def ranked(asked: Sequence[str], candidates: Mapping[str, Iterable[str]], *, total: int) -> list[str]:
    """Return the codes whose stems fit best, best first.

    `candidates` maps a code to its stems and must hold every product with one of the `asked` stems;
    `total` is the size of the catalogue.
    """
    told = {code: tuple(words) for code, words in candidates.items()}
    # A catalogue says the same few words again and again: each is compared once.
    known = frozenset(word for words in told.values() for word in words)
    forms = {stem: frozenset(word for word in known if _same(stem, word)) for stem in asked}
    fits = {code: _fits(forms, words) for code, words in told.items()}
    seen = {stem: sum(stem in fit for fit in fits.values()) for stem in asked}
    weight = {stem: math.log(1 + total / count) for stem, count in seen.items() if count}
    scores = {
        code: sum(weight[stem] * share for stem, share in fit.items()) for code, fit in fits.items() if fit
    }
    if not scores:
        return []
    best = max(scores.values())
    kept = [code for code, score in scores.items() if score >= _NEAR_BEST * best]
    return sorted(kept, key=lambda code: (-scores[code], code))


def shared(asked: Sequence[str], words: Iterable[str]) -> int:
    """Return how many of the asked stems are among the words, in any of their forms."""
    known = frozenset(words)
    return sum(any(_same(stem, word) for word in known) for stem in asked)


def prefix(stem: str) -> str:
    """Return what every word that `ranked` takes for this stem begins with."""
    return stem[:_LONG_PREFIX]


def _fits(forms: Mapping[str, frozenset[str]], words: tuple[str, ...]) -> dict[str, float]:
    """Return the share of its weight each asked stem earns: all of it in the name, part of it elsewhere."""
    divider = words.index(DIVIDER)
    name = words[:divider]
    shares = {
        stem: 0.0 if form.isdisjoint(words) else _ELSEWHERE if form.isdisjoint(name) else 1.0
        for stem, form in forms.items()
    }
    return {stem: share for stem, share in shares.items() if share}


def _same(stem: str, word: str) -> bool:
    if stem == word:
        return True
    # «ламп» finds «лампочк»; «фонарик» finds «фонар».
    longer = len(stem) >= _PREFIX_CHARS and word.startswith(stem)
    return longer or (len(word) >= _LONG_PREFIX and stem.startswith(word))


@cache
def _ignored() -> frozenset[str]:
    texts = Phrases(TEXTS)
    words = (word for language in LANGUAGES for word in texts.items("search.ignored", language))
    return frozenset(stem for word in words for stem in stems(word))


@lru_cache(maxsize=8192)
def _stem(word: str) -> str:
    cyrillic = "а" <= word[0] <= "я"
    return str((_RUSSIAN if cyrillic else _ENGLISH).stemWord(word))


_RUSSIAN = Stemmer("russian")
_ENGLISH = Stemmer("english")
